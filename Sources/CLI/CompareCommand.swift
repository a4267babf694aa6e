import ArgumentParser
import Foundation
import Recipes

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare methods over seeds: means, spread, each against a baseline.",
    discussion: """
      A folder of runs counts as all runs in it, four levels deep.

      EXAMPLES
        jay compare runs/finetune runs/migu
        jay compare runs --baseline lora --html comparison.html
        jay compare runs --markdown > table.md
        jay compare runs/t5-small --figures Recipes/migu/t5-small/figures.json
      """)

  @Argument(help: "Folders of runs, or of folders of runs.")
  var folders: [URL]

  @Option(help: "Method, as the table names it, that the others are compared with. Default: finetune, else the first.")
  var baseline: String?

  @Flag(help: "Print a Markdown table.")
  var markdown = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Option(help: "Write a page with figures to this file too.")
  var html: URL?

  @Option(help: "Write each recipe's figures to this file, beside the recipes, for 'jay show'.")
  var figures: URL?

  func validate() throws {
    guard !(markdown && json) else { throw ValidationError("Choose one of --markdown and --json.") }
  }

  func run() throws {
    let comparison = try Comparison(folders, baseline: baseline)
    Here.note(comparison.notes)
    print(json ? try comparison.json() : markdown ? comparison.markdown : comparison.text, terminator: "")
    if let html { try comparison.write(to: html) }
    if let figures { Here.note(try comparison.writeFigures(to: figures)) }
  }
}
