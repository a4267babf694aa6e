import ArgumentParser
import Foundation
import Recipes

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Score the newest checkpoint of a run again, on its test data or on other data.",
    discussion: """
      EXAMPLES
        jay evaluate runs/meadow
        jay evaluate runs/meadow --data fresh.jsonl --experience mood
      """)

  @Argument(help: "Folder of a run.")
  var folder: URL

  @Option(help: "File of other examples, with the labels of the experience.")
  var data: URL?

  @Option(help: "Which experience the data belong to.")
  var experience: String?

  @OptionGroup var columns: ColumnOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var engine: ThreadOptions
  @OptionGroup var output: JSONOption

  func validate() throws {
    guard (data == nil) == (experience == nil) else {
      throw ValidationError("--data and --experience belong together: jay evaluate RUN --data FILE --experience NAME")
    }
  }

  func run() throws {
    engine.start()
    let scores: Scores
    if let data, let experience {
      scores = try Scores(folder, data: data, experience: experience, columns: columns.columns, places: hub.places)
    } else {
      scores = try Scores(folder, places: hub.places)
    }
    try output.show(scores, scores.text)
  }
}
