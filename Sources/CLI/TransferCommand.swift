import ArgumentParser
import Foundation
import Recipes

struct TransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer",
    abstract: "Fine-tune the model after each experience of a run on other tasks: what pre-training is good for.",
    discussion: """
      The run must have kept its models (training.keepModels: true). The recipe names the tasks and how they are \
      trained; each task starts from the kept model, and where bottlenecks were kept beside it (adapter, hat, demix) these \
      and the heads train, not the model. What is finished already is not trained again.

      EXAMPLES
        jay transfer runs/finetune Recipes/migu/roberta-small/endtasks.yaml
        jay transfer runs/finetune Recipes/migu/roberta-small/endtasks.yaml --last
        jay transfer runs/hat Recipes/migu/roberta-small/endtasks-adapter.yaml
      """)

  @Argument(help: "Folder of a finished run.")
  var folder: URL

  @Argument(help: "Recipe of the tasks.")
  var recipe: URL

  @Option(name: .customLong("set"), help: "Override a key of the recipe, such as seed=1. Repeatable.")
  var overrides: [String] = []

  @Flag(help: "Only the model after the last experience, not the one before the first nor those between.")
  var last = false

  @Option(help: "Where the runs go. Default: transfer/<recipe's name> in the run.")
  var out: URL?

  @Flag(help: "Say nothing while training.")
  var quiet = false

  @OptionGroup var engine: ThreadOptions
  @OptionGroup var output: JSONOption

  func run() throws {
    Interrupt.install()
    engine.start()
    var runner = Runner(places: Here.places)
    runner.isQuiet = quiet
    runner.resumeCommand = CommandLine.again([])
    let name = recipe.deletingPathExtension().lastPathComponent
    let transfer = try Transfer.run(
      folder, recipe: try Recipe(file: recipe, overrides: overrides), onlyLast: last,
      in: out ?? folder.appendingPathComponent("transfer/\(name)"), runner)
    try output.show(transfer, transfer.text)
  }
}
