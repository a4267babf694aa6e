import ArgumentParser
import Foundation
import Recipes

struct GateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate", abstract: "Pass or fail a run by bounds: exit status 0 when all are kept, 2 when one is not.",
    discussion: """
      Forgetting is 'forgetting.chaudhry' and accuracy 'acc' of 'jay list metrics'. A bound on what the run did not \
      measure is not kept.

      EXAMPLE
        jay gate runs/meadow --max-forgetting 2 --min-accuracy 80 && deploy
      """)

  @Argument(help: "Folder of a finished run.")
  var folder: URL

  @Option(parsing: .unconditional, help: "Most forgetting, in points; below 0 asks for a gain.")
  var maxForgetting: Double?

  @Option(help: "Least final average accuracy, in percent.")
  var minAccuracy: Double?

  @Option(parsing: .unconditional, help: "Most points that any one task may lose.")
  var maxDrop: Double?

  @OptionGroup var output: JSONOption

  func validate() throws {
    guard maxForgetting != nil || minAccuracy != nil || maxDrop != nil else {
      throw ValidationError("Give a bound: --max-forgetting, --min-accuracy or --max-drop.")
    }
  }

  func run() throws {
    let verdict = try Gate(maxForgetting: maxForgetting, minAccuracy: minAccuracy, maxDrop: maxDrop).judge(folder)
    try output.show(verdict, verdict.text)
    if !verdict.isPassed { throw ExitCode(2) }
  }
}
