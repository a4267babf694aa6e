import ArgumentParser
import Foundation
import Recipes

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Merge models that were trained from one base into one model.",
    discussion: """
      EXAMPLE
        jay merge task-arithmetic --base models/minilm --models a b c --strength 0.4 --out merged
      """,
    subcommands: [TaskArithmetic.self])

  struct TaskArithmetic: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "base + strength · Σ (model − base), after Ilharco et al. 2023.",
      discussion: """
        Reads and writes model directories in Hugging Face format; configuration and tokenizer are those of the base.

        EXAMPLE
          jay merge task-arithmetic --base models/minilm --models a b c --strength 0.4 --out merged
        """)

    @Option(help: "The model that the others were trained from.")
    var base: URL

    @Option(parsing: .upToNextOption, help: "The trained models.")
    var models: [URL]

    @Option(help: "Weight of every model's change.")
    var strength = 0.4

    @Option(help: "Folder of the merged model; must not exist yet, or be empty.")
    var out: URL

    func validate() throws {
      guard strength.isFinite else { throw ValidationError("--strength takes a number, such as 0.4") }
    }

    func run() throws {
      Engine.start(threads: nil)
      try ModelMerge.taskArithmetic(base: base, models: models, strength: strength, out: out)
      print(out.relativePath)
    }
  }
}
