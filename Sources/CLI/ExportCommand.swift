import ArgumentParser
import Foundation
import Recipes

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the model of a run as a Hugging Face directory, or its adapter in PEFT format.",
    discussion: """
      Every tensor keeps its name and dtype, low-rank adapters are merged into the weights, and configuration and \
      tokenizer come along, so that transformers loads the folder. The classification heads lie beside it in \
      heads.safetensors, described by jay.json; a head that the original had for a task of its own (classifier.) is \
      left out. A model larger than --shard-size goes into several files with an index.

      With --adapter only what the method added is written, for peft to load on the base model: LoRA of several \
      experiences as one LoRA, the prompts of a task as one prompt. Heads are no part of it.

      EXAMPLES
        jay export runs/meadow-migu --to model
        jay export runs/orders-o-lora --to adapter --adapter
        jay export runs/llama --to model --shard-size 2GB
      """)

  @Argument(help: ArgumentHelp("Run folder.", valueName: "run"))
  var folder: String

  @Option(help: "Folder to write; it must not exist yet.")
  var to: String

  @Option(help: "Whose model, for methods that keep one a task (per-task, progressive-prompts).")
  var task: String?

  @Option(help: ArgumentHelp("Most bytes of weights in one file, 5GB by default.", valueName: "size"))
  var shardSize: String?

  @Flag(help: "Write the adapter alone, in PEFT format.")
  var adapter = false

  func run() throws {
    let target = URL(fileURLWithPath: to)
    guard !FileManager.default.fileExists(atPath: target.path) else {
      throw ValidationError("\(to) exists already. Choose another folder with --to.")
    }
    guard !adapter || shardSize == nil else {
      throw ValidationError("--shard-size is for models; an adapter is one file.")
    }
    let run = URL(fileURLWithPath: folder)
    if adapter {
      try Export.adapter(run, to: target, task: task, places: Here.places)
      print("adapter  \(target.relativePath)")
    } else {
      try Export.run(run, to: target, task: task, places: Here.places, shardSize: shardSize)
      print("model  \(target.relativePath)")
    }
  }
}
