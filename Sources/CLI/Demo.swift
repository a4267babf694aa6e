import ArgumentParser
import Foundation
import Recipes

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Watch a real encoder learn five tasks, and see what fine-tuning forgot and MIGU kept.",
    discussion: """
      Trains MiniLM on the embedded stream Meadow twice, by plain fine-tuning and with MIGU, and writes one report.
      A second call shows the finished runs again; --again trains anew.

      EXAMPLE
        jay demo
      """)

  @Option(help: "Folder of the two runs and the report.")
  var out = "runs/demo"

  @Flag(help: "Remove the runs of an earlier demo and train anew.")
  var again = false

  @Flag(help: "Say nothing while training.")
  var quiet = false

  @OptionGroup var engine: ThreadOptions

  func run() throws {
    Interrupt.install()
    engine.start()
    let folder = URL(fileURLWithPath: out)
    if again {
      for name in ["finetune", "migu", "report.html"] {
        try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
      }
    }
    print(try Demo.run(in: folder, places: Here.places, isQuiet: quiet))
  }
}
