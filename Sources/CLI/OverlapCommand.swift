import ArgumentParser
import Foundation
import Recipes

struct OverlapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "overlap",
    abstract: "Which rows the experiences of a run changed most, and how many of them they share.",
    discussion: """
      The run must have kept its models (training.keepModels: true). Experiences that change the same rows overwrite one \
      another; MIGU is meant to keep them apart. Rows drawn at random share as much as --share says. Heads and word \
      embeddings are left out. --json has every layer.

      EXAMPLES
        jay overlap runs/finetune
        jay overlap runs/finetune --layers intermediate.dense
      """)

  @Argument(help: "Folder of a finished run.")
  var folder: URL

  @Option(help: "The part of a layer's rows that counts as an experience's own, above 0 and below 1.")
  var share = 0.3

  @Option(parsing: .upToNextOption, help: "Ends of the names of the layers that are looked at. Default: all.")
  var layers: [String] = []

  @OptionGroup var output: JSONOption

  func validate() throws {
    guard share > 0, share < 1 else { throw ValidationError("--share must lie between 0 and 1, not at \(share).") }
  }

  func run() throws {
    let overlap = try Overlap.of(folder, share: share, layers: layers, places: Here.places)
    try output.show(overlap, overlap.text)
  }
}
