import ArgumentParser
import Foundation
import Recipes

@main
struct Jay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jay",
    abstract: "Continual learning for language models: teach task after task, keep what was known.",
    discussion: "Start with 'jay demo'. A recipe (YAML) describes a run; 'jay run RECIPE' makes a folder with matrices, metrics, a report and the model.",
    version: Version.current,
    subcommands: [DemoCommand.self, Run.self])
}
