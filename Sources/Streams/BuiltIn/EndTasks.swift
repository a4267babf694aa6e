public import Foundation

/// Classification tasks of the domains of `Corpora`: what continual pre-training is good for.
///
/// The folder holds `tasks.json` and, for each task, `train.jsonl.gz`, `test.jsonl.gz` and perhaps `dev.jsonl.gz`, which
/// is the validation split here (UIC-Liu-Lab/ContinualLM adds it to the test split). In sentiment tasks the aspect is the
/// text and the sentence its pair, as there: `aspect </s> sentence`.
public enum EndTasks {
  /// The named tasks in this order; all of them where none is named.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(_ folder: URL, tasks: [String] = []) throws -> TaskStream {
    let known: [TaskEntry] = try CL15.decode("tasks.json", in: folder)
    let wanted = tasks.isEmpty ? known.map(\.task) : tasks
    if let stranger = wanted.first(where: { name in !known.contains { $0.task == name } }) {
      throw StreamError.unknownExperience(stranger, known: known.map(\.task), stream: "endtasks")
    }
    var log = ProblemLog()
    let experiences = known.filter { wanted.contains($0.task) }.map { experience($0, in: folder, log: &log) }
    try log.check()
    return try TaskStream(name: "endtasks", experiences: experiences).subset(names: wanted)
  }

  private struct TaskEntry: Decodable {
    let task: String
    let labels: [String]
  }

  private static func experience(_ entry: TaskEntry, in folder: URL, log: inout ProblemLog) -> Experience {
    let place = folder.appendingPathComponent(entry.task)
    let development = place.appendingPathComponent("dev.jsonl.gz")
    let columns = entry.task.hasSuffix("_absa") ? ColumnMap(text: "aspect", pair: "text") : ColumnMap()
    let splits = DatasetReader(columns: columns, labels: entry.labels).read(
      train: place.appendingPathComponent("train.jsonl.gz"),
      validation: FileManager.default.fileExists(atPath: development.path) ? development : nil,
      test: place.appendingPathComponent("test.jsonl.gz"), name: entry.task, log: &log)
    return Experience(name: entry.task, splits: splits)
  }
}
