import ArgumentParser
import Foundation
import Recipes

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write the report of a run anew, or one page over several runs.",
    discussion: """
      Prints the path of the page. A folder of runs counts as all runs in it, four levels deep.

      EXAMPLES
        jay report runs/meadow
        jay report runs/finetune runs/migu --out comparison.html
        jay report runs/meadow --tensorboard && tensorboard --logdir runs
      """)

  @Argument(help: "Folders of runs, or of folders of runs.")
  var folders: [URL]

  @Option(help: "The file to write. Default: report.html in the folder.")
  var out: URL?

  @Option(help: "Show the page in a browser, or in none.")
  var open = Viewer.none

  @Flag(help: "Also write the curves for TensorBoard, in each run's folder; works while a run is under way.")
  var tensorboard = false

  enum Viewer: String, ExpressibleByArgument, CaseIterable { case none, browser }

  func run() throws {
    let (file, notes) = try Comparison.report(folders, out: out)
    Here.note(notes)
    print(file.relativePath)
    if tensorboard { for events in try Comparison(folders).writeEvents() { print(events.relativePath) } }
    guard open == .browser else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    #if os(macOS)
      process.arguments = ["open", file.path]
    #else
      process.arguments = ["xdg-open", file.path]
    #endif
    try process.run()
  }
}
