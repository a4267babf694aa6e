public import ArgumentParser
import Foundation
public import Recipes

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List methods, streams, models, metrics or recipes.",
    discussion: """
      EXAMPLE
        jay list methods
      """)

  @Argument(help: "What to list: \(Catalog.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var kind: Catalog.Kind

  @OptionGroup var output: JSONOption

  func run() throws {
    let items = try Catalog(places: Here.places(offline: true), recipes: Here.recipes).items(kind)
    try output.show(items, Catalog.text(items))
  }
}

extension Catalog.Kind: ExpressibleByArgument {}

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a method, metric, stream or model; 'show recipe' shows every key of a recipe.",
    discussion: """
      EXAMPLES
        jay show migu
        jay show forgetting.chaudhry
        jay show recipe
      """)

  @Argument(help: "A name that 'jay list' gives, or recipe.")
  var name: String

  @OptionGroup var output: JSONOption

  func run() throws {
    let page = try Catalog(places: Here.places(offline: true), recipes: Here.recipes).page(name)
    try output.show(page, page.text)
  }
}
