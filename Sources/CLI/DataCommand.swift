import ArgumentParser
import Foundation
import Recipes

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Register folders of data under names, check them, and see what a model sees.",
    discussion: """
      A folder has a stream.json that names its tasks and files. A registered name is a stream of recipes. \
      'jay show folder' lists the keys of a stream.json.

      EXAMPLES
        jay data add tickets data/tickets
        jay data verify tickets
        jay data show tickets --model minilm
      """,
    subcommands: [Add.self, List.self, Verify.self, Show.self, Remove.self])

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Register a folder.", discussion: "EXAMPLE\n  jay data add tickets data/tickets")

    @Argument(help: "The name for recipes, without \"/\".")
    var name: String

    @Argument(help: "Folder with a stream.json.")
    var folder: URL

    func run() throws {
      print(try DataDesk(places: Here.places).add(name, folder: folder).text)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what is registered.", discussion: "EXAMPLE\n  jay data list")

    @OptionGroup var output: JSONOption

    func run() throws {
      let items = try DataDesk(places: Here.places).items()
      try output.show(
        items, items.isEmpty ? "nothing yet; 'jay data add NAME FOLDER' adds a folder" : Catalog.text(items))
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read all data behind a name: counts, balance, overlap of train and test.",
      discussion: "EXAMPLE\n  jay data verify tickets")

    @Argument(help: "A registered name, or meadow.")
    var name: String

    @OptionGroup var output: JSONOption

    func run() throws {
      let report = try DataDesk(places: Here.places).report(name)
      try output.show(report, report.text)
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show examples as a model sees them: tokens, what is cut, the label.",
      discussion: "EXAMPLE\n  jay data show meadow --model minilm --max-tokens 32")

    @Argument(help: "A registered name, or meadow.")
    var name: String

    @Option(help: "The model whose tokenizer reads the texts.")
    var model = "minilm"

    @Option(help: "Longer texts are cut.")
    var maxTokens = 128

    @Option(help: "Examples of each experience.")
    var count = 2

    @OptionGroup var output: JSONOption

    func validate() throws {
      guard maxTokens >= 4 else { throw ValidationError("--max-tokens must be at least 4, found \(maxTokens).") }
      guard count >= 1 else { throw ValidationError("--count must be at least 1, found \(count).") }
    }

    func run() throws {
      let samples = try DataDesk(places: Here.places).samples(name, model: model, maxTokens: maxTokens, count: count)
      try output.show(samples, samples.map(\.lines).joined(separator: "\n\n"))
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forget a name; the folder itself stays.", discussion: "EXAMPLE\n  jay data remove tickets")

    @Argument(help: "A registered name.")
    var name: String

    func run() throws { try DataDesk(places: Here.places).remove(name) }
  }
}
