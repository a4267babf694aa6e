import ArgumentParser
import Foundation
import Recipes

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Say what a recipe will take: examples, tokens, updates, memory, disk.",
    discussion: """
      Nothing is trained and nothing is written.

      EXAMPLE
        jay plan Recipes/meadow-migu.yaml --set training.epochs=4
      """)

  @Argument(help: "A recipe file.")
  var recipe: URL

  @Option(name: .customLong("set"), help: "Override a key, such as training.epochs=2. Repeatable.")
  var overrides: [String] = []

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: JSONOption

  func run() throws {
    Engine.start(threads: nil)
    let session = try Session(
      try Recipe(file: recipe, overrides: overrides), places: hub.places, measuresAbilities: true)
    let plan = try Plan(session, prepares: true)
    try output.show(plan, plan.text)
  }
}
