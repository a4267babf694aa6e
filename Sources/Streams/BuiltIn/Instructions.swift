public import Foundation
import Tokenizers

/// Public collections of tasks that are asked and answered in a conversation, to tune on and to measure abilities with.
///
/// | task | question → answer | measured by |
/// |---|---|---|
/// | `pie` | a slow Python program → a faster one (madaan/pie-perf) | loss |
/// | `gsm8k` | a sum in words → its solution (openai/grade-school-math) | the final number |
/// | `xquad` | a paragraph and a question → a part of the paragraph (google-deepmind/xquad) | exact match |
/// | `humaneval` | the head of a function → its body (openai/human-eval), test only, without a template | loss |
///
/// The folder holds those of `code_edits_pie`, `math_gsm8k`, `qa_squad_xquad_en` and `code_humaneval` that are asked for.
/// HumanEval is published with unit tests; programs are not run here, so what is measured is how well the model predicts
/// the published solution.
public enum Instructions {
  /// Names of the tasks.
  public static let tasks = ["pie", "gsm8k", "xquad", "humaneval"]

  /// The named tasks in this order; without names those that can be trained on.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(_ folder: URL, tasks names: [String] = []) throws -> TaskStream {
    let wanted = names.isEmpty ? tasks.filter { $0 != "humaneval" } : names
    var log = ProblemLog()
    let experiences = try wanted.enumerated().map { position, name in
      if wanted[..<position].contains(name) {
        throw StreamError.duplicateExperience(name, stream: "instructions")
      }
      guard let experience = try experience(name, in: folder, log: &log) else {
        throw StreamError.unknownExperience(name, known: tasks, stream: "instructions")
      }
      return experience
    }
    try log.check()
    return TaskStream(
      name: "instructions", declaration: StreamDeclaration(hasTaskLabelAtTest: false), experiences: experiences)
  }

  private static func experience(_ name: String, in folder: URL, log: inout ProblemLog) throws -> Experience? {
    switch name {
    case "pie":
      asked(name, folder, "code_edits_pie", ColumnMap(text: "source", target: .answers("target")), log: &log) {
        "Rewrite this Python program so that it runs faster.\n\n\($0.text)"
      }.measured(by: .loss)
    case "gsm8k":
      asked(name, folder, "math_gsm8k", ColumnMap(text: "question", target: .answers("answer")), log: &log, \.text)
        .measured(by: .finalNumber)
    case "xquad":
      asked(
        name, folder, "qa_squad_xquad_en",
        ColumnMap(text: "question", pair: "context", target: .answers("answers.text"), id: "id"), log: &log
      ) { "\($0.pair ?? "")\n\n\($0.text)\nAnswer with a part of the text." }.measured(by: .exactMatch)
    case "humaneval": try humanEval(folder)
    default: nil
    }
  }

  /// Questions and answers as conversations.
  private static func asked(
    _ name: String, _ folder: URL, _ place: String, _ columns: ColumnMap, log: inout ProblemLog,
    _ question: (Example) -> String
  ) -> Experience {
    let place = folder.appendingPathComponent(place)
    let splits = DatasetReader(columns: columns).read(
      train: place.appendingPathComponent("train.jsonl.gz"), validation: nil,
      test: place.appendingPathComponent("test.jsonl.gz"), name: name, log: &log)
    func conversations(_ dataset: Dataset) -> Dataset {
      let examples = dataset.examples.map { example in
        Example(
          id: example.id,
          conversation: [.init(.user, question(example)), .init(.assistant, example.answers[0])],
          accepted: example.answers)
      }
      return Dataset(name: dataset.name, labels: [], examples: examples, dropped: dataset.dropped)
    }
    return Experience(name: name, train: conversations(splits.train), test: conversations(splits.test))
  }

  /// What goes on where the prompt stops: no question, so no conversation.
  private static func humanEval(_ folder: URL) throws -> Experience {
    let columns = ColumnMap(text: "prompt", target: .answers("canonical_solution"), id: "task_id")
    let test = try DatasetReader(columns: columns).read(
      folder.appendingPathComponent("code_humaneval/test.jsonl.gz"), name: "humaneval/test")
    return Experience(name: "humaneval", train: Dataset(name: "humaneval/train", labels: [], examples: []), test: test)
      .prompted(by: Prompt("{text}")).measured(by: .loss)
  }
}
