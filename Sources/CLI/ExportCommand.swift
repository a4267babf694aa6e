import ArgumentParser
import Foundation
import Recipes

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the model of a run as a Hugging Face directory.",
    discussion: """
      Every tensor keeps its name and dtype, low-rank adapters are merged into the weights, and configuration and \
      tokenizer come along, so that transformers loads the folder. The classification heads lie beside it in \
      heads.safetensors, described by jay.json.

      EXAMPLE
        jay export runs/meadow-migu --to model
      """)

  @Argument(help: ArgumentHelp("Run folder.", valueName: "run"))
  var folder: String

  @Option(help: "Folder to write; it must not exist yet.")
  var to: String

  @Option(help: "Whose model, for methods that keep one a task (per-task).")
  var task: String?

  func run() throws {
    let target = URL(fileURLWithPath: to)
    guard !FileManager.default.fileExists(atPath: target.path) else {
      throw ValidationError("\(to) exists already. Choose another folder with --to.")
    }
    try Export.run(URL(fileURLWithPath: folder), to: target, task: task, places: Here.places)
    print("model  \(target.relativePath)")
  }
}
