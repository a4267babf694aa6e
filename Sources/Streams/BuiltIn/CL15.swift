public import Foundation

/// The 15-task benchmark of text classification on which O-LoRA and MIGU are measured.
///
/// Source: Razdaibiedina et al., Progressive Prompts, ICLR 2023 (arXiv 2301.12314), for the tasks and orders 4 to 6.
/// The folder holds `orders.json`, `tasks.json` and, for each task, `train.jsonl.gz` and `test.jsonl.gz`. A task has
/// classes of its own even where label names recur (`True` of one task is not `True` of another), so the stream is
/// task-incremental, or class-incremental without the task label at test time.
public enum CL15 {
  /// What becomes of an example of the benchmark.
  public enum Form: String, Sendable, Hashable, Codable {
    /// The text as it fills the benchmark's prompt, for models that write the answer.
    case benchmark
    /// The parts of the text as a natural pair where there is one (see `columns(ofType:form:)`), for encoders.
    case pair
  }

  /// The benchmark's `dev` files equal its `test` files, so validation is held out of train.
  public static let defaultHoldout = Holdout.fraction(0.1, atMost: 500)

  /// One of the published orders: 1 to 3 with four tasks, 4 to 6 with all fifteen.
  /// - Throws: `StreamError.unknownOrder`, `DataError`.
  public static func stream(
    _ folder: URL, order: Int, form: Form = .pair, holdout: Holdout? = defaultHoldout, seed: UInt64 = 0
  ) throws -> TaskStream {
    let orders: [String: [String]] = try decode("orders.json", in: folder)
    guard let tasks = orders[String(order)] else {
      throw StreamError.unknownOrder(order, known: orders.keys.compactMap { Int($0) }.sorted(), stream: "cl15")
    }
    return try stream(folder, tasks: tasks, form: form, holdout: holdout, seed: seed).renamed("cl15-order\(order)")
  }

  /// The named tasks in this order.
  ///
  /// `TaskStream.capped(_:seed:)` makes the stream smaller.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(
    _ folder: URL, tasks: [String], form: Form = .pair, holdout: Holdout? = defaultHoldout, seed: UInt64 = 0
  ) throws -> TaskStream {
    let known: [TaskEntry] = try decode("tasks.json", in: folder)
    guard !tasks.isEmpty else { throw StreamError.emptySubset(stream: "cl15") }
    let entries = try tasks.enumerated().map { position, task in
      guard let entry = known.first(where: { $0.task == task }) else {
        throw StreamError.unknownExperience(task, known: known.map(\.task), stream: "cl15")
      }
      guard !tasks[..<position].contains(task) else { throw StreamError.duplicateExperience(task, stream: "cl15") }
      return entry
    }
    var log = ProblemLog()
    let prompts: PromptFile = try decode("instructions.json", in: folder)
    let experiences = entries.map {
      experience($0, in: folder.appendingPathComponent($0.task), form: form, log: &log)
        .prompted(by: prompts.prompt($0))
    }
    try log.check()
    let stream = TaskStream(name: "cl15", experiences: experiences)
    return holdout.map { stream.holdingOut($0, seed: seed) } ?? stream
  }

  /// The columns of a type of task.
  ///
  /// | type | text | pair |
  /// |---|---|---|
  /// | TC, SC | the whole text | – |
  /// | NLI | premise | hypothesis |
  /// | QQP | first sentence | second sentence |
  /// | BoolQA | question | passage |
  /// | MultiRC | question, candidate answer | paragraph |
  /// | WiC | word, first sentence | second sentence |
  /// | COPA | cause or effect, premise | sentence A, sentence B |
  static func columns(ofType type: String, form: Form) -> ColumnMap {
    func pieces(_ text: [String], _ pair: [String]) -> ColumnMap {
      ColumnMap(text: text.map { "pieces.\($0)" }, pair: pair.map { "pieces.\($0)" })
    }
    switch (form, type) {
    case (.pair, "NLI"): return pieces(["premise"], ["hypothesis"])
    case (.pair, "QQP"): return pieces(["first"], ["second"])
    case (.pair, "BoolQA"): return pieces(["question"], ["passage"])
    case (.pair, "MultiRC"): return pieces(["question", "candidate"], ["paragraph"])
    case (.pair, "WiC"): return pieces(["word", "first"], ["second"])
    case (.pair, "COPA"): return pieces(["relation", "premise"], ["a", "b"])
    default: return ColumnMap()
    }
  }

  /// `instructions.json`: the benchmark's prompts.
  struct PromptFile: Decodable {
    let byType: [String: String]
    let prompt: String
    let promptCopa: String

    private enum CodingKeys: String, CodingKey {
      case byType = "by_type", prompt, promptCopa = "prompt_copa"
    }

    func prompt(_ entry: TaskEntry) -> Prompt {
      guard let instruction = byType[entry.type] else { return Prompt(promptCopa) }
      return Prompt(
        prompt.replacingOccurrences(of: "{type}", with: entry.type)
          .replacingOccurrences(of: "{dataset_name}", with: entry.dataset)
          .replacingOccurrences(of: "{instruction}", with: instruction)
          .replacingOccurrences(of: "{labels joined by \", \"}", with: "{options}"))
    }
  }

  struct TaskEntry: Decodable {
    let task: String
    let type: String
    let dataset: String
    let labels: [String]
    let train: Int
    let test: Int

    private enum CodingKeys: String, CodingKey {
      case task, type, dataset = "dataset_name", labels, train, test
    }
  }

  private static func experience(
    _ entry: TaskEntry, in folder: URL, form: Form, log: inout ProblemLog
  ) -> Experience {
    // 131 test examples of MNLI have no gold label, which is written "-".
    let reader = DatasetReader(
      columns: columns(ofType: entry.type, form: form), labels: entry.labels, ignoredLabels: ["-"])
    let splits = reader.read(
      train: folder.appendingPathComponent("train.jsonl.gz"), validation: nil,
      test: folder.appendingPathComponent("test.jsonl.gz"), name: entry.task, log: &log)
    return Experience(name: entry.task, splits: splits)
  }

  static func decode<Value: Decodable>(_ name: String, in folder: URL) throws -> Value {
    let file = folder.appendingPathComponent(name)
    let data = try DataFile.contents(of: file)
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch {
      let problem = DataProblem(file: file.relativePath, line: nil, kind: .stream(key: "", .notJSON))
      throw DataError(problems: [problem], more: 0)
    }
  }
}
