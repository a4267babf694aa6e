public import Foundation

/// Fifteen tasks of Super-NaturalInstructions whose answers are free texts, in two published orders.
///
/// Source: Zhao et al., SAPT, ACL 2024 (arXiv 2401.08295); circle-hit/SAPT at 52a52b9, `CL_Benchmark/SuperNI`, whose
/// prompt without examples is used. The folder holds `orders.json`, `tasks.json` and, for each task, `train.jsonl.gz`
/// and `test.jsonl.gz`; the benchmark's `dev` files equal its `test` files, so validation is held out of train.
public enum SuperNI15 {
  /// One of the published orders, 1 or 2.
  /// - Throws: `StreamError.unknownOrder`, `DataError`.
  public static func stream(
    _ folder: URL, order: Int, holdout: Holdout? = CL15.defaultHoldout, seed: UInt64 = 0
  ) throws -> TaskStream {
    let orders: [String: [String]] = try CL15.decode("orders.json", in: folder)
    guard let tasks = orders[String(order)] else {
      throw StreamError.unknownOrder(order, known: orders.keys.compactMap { Int($0) }.sorted(), stream: "superni15")
    }
    return try stream(folder, tasks: tasks, holdout: holdout, seed: seed).renamed("superni15-order\(order)")
  }

  /// The named tasks in this order.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(
    _ folder: URL, tasks: [String], holdout: Holdout? = CL15.defaultHoldout, seed: UInt64 = 0
  ) throws -> TaskStream {
    let known: [TaskEntry] = try CL15.decode("tasks.json", in: folder)
    var log = ProblemLog()
    let all = TaskStream(name: "superni15", experiences: known.map { experience($0, in: folder, log: &log) })
    try log.check()
    let stream = try all.subset(names: tasks)
    return holdout.map { stream.holdingOut($0, seed: seed) } ?? stream
  }

  private struct TaskEntry: Decodable {
    let task: String
    let definition: String
  }

  private static func experience(_ entry: TaskEntry, in folder: URL, log: inout ProblemLog) -> Experience {
    let columns = ColumnMap(text: "input", target: .answers("outputs"), id: "id")
    let task = folder.appendingPathComponent(entry.task)
    let splits = DatasetReader(columns: columns).read(
      train: task.appendingPathComponent("train.jsonl.gz"), validation: nil,
      test: task.appendingPathComponent("test.jsonl.gz"), name: entry.task, log: &log)
    let definition = entry.definition.trimmingCharacters(in: .whitespacesAndNewlines)
    return Experience(name: entry.task, splits: splits).prompted(
      by: Prompt("Definition: \(definition)\n\nNow complete the following example -\nInput: {text}\nOutput: "))
  }
}
