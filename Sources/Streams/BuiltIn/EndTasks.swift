public import Foundation

/// Classification tasks of the domains of `Corpora`: what continual pre-training is good for.
///
/// The folder holds `tasks.json` and, for each task, `train.jsonl.gz`, `test.jsonl.gz` and perhaps `dev.jsonl.gz`, which
/// is the validation split here. In sentiment tasks the aspect is the text and the sentence its pair: `aspect </s>
/// sentence`.
///
/// `acl_arc-das`, `scierc_relation-das` and `chemprot-das` are those tasks with the splits of Ke et al., ICLR 2023 (arXiv
/// 2302.03241), UIC-Liu-Lab/ContinualLM: `dev` joins the test split, and so do, of each label, the first of the training
/// examples (`repartitioned`).
public enum EndTasks {
  /// The named tasks in this order; all of them, with their own splits, where none is named.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(_ folder: URL, tasks: [String] = []) throws -> TaskStream {
    let entries: [TaskEntry] = try CL15.decode("tasks.json", in: folder)
    let usual = entries.map(\.task), other = usual.filter { shares[$0] != nil }.map { $0 + suffix }
    let wanted = tasks.isEmpty ? usual : tasks
    if let stranger = wanted.first(where: { !(usual + other).contains($0) }) {
      throw StreamError.unknownExperience(stranger, known: usual + other, stream: "endtasks")
    }
    var log = ProblemLog(), experiences: [Experience] = []
    for entry in entries {
      if wanted.contains(entry.task) {
        experiences.append(Experience(name: entry.task, splits: splits(entry, in: folder, entry.task, log: &log)))
      }
      let name = entry.task + suffix
      if let share = shares[entry.task], wanted.contains(name) {
        let splits = splits(entry, in: folder, name, log: &log)
        experiences.append(Experience(name: name, splits: repartitioned(splits, keeping: share)))
      }
    }
    try log.check()
    return try TaskStream(name: "endtasks", experiences: experiences).subset(names: wanted)
  }

  private static let suffix = "-das"
  /// The share of the training examples that stays in the training split; of the other tasks here the sentences or their
  /// splits are not those of the benchmark.
  private static let shares = ["acl_arc": 0.9, "scierc_relation": 0.7, "chemprot": 0.5]

  /// The test split with all of validation and, of each of C labels, the first ⌊n · (1 − share) / C⌋ of n training examples.
  static func repartitioned(_ splits: Splits, keeping share: Double) -> Splits {
    let train = splits.train, labels = train.labels
    let most = Int(Double(train.count) * (1 - share) / Double(max(1, labels.count)))
    var kept: [Example] = [], moved: [Example] = [], taken = [Int](repeating: 0, count: labels.count)
    for example in train.examples {
      taken[example.label] += 1
      if taken[example.label] <= most { moved.append(example) } else { kept.append(example) }
    }
    let test = splits.test.examples + splits.validation.examples + moved
    return Splits(
      train: Dataset(name: train.name, labels: labels, examples: kept, dropped: train.dropped),
      validation: Dataset(name: splits.validation.name, labels: labels, examples: []),
      test: Dataset(name: splits.test.name, labels: labels, examples: test, dropped: splits.test.dropped))
  }

  private struct TaskEntry: Decodable {
    let task: String
    let labels: [String]
  }

  private static func splits(
    _ entry: TaskEntry, in folder: URL, _ name: String, log: inout ProblemLog
  ) -> Splits {
    let place = folder.appendingPathComponent(entry.task)
    let development = place.appendingPathComponent("dev.jsonl.gz")
    let columns = entry.task.hasSuffix("_absa") ? ColumnMap(text: "aspect", pair: "text") : ColumnMap()
    return DatasetReader(columns: columns, labels: entry.labels).read(
      train: place.appendingPathComponent("train.jsonl.gz"),
      validation: FileManager.default.fileExists(atPath: development.path) ? development : nil,
      test: place.appendingPathComponent("test.jsonl.gz"), name: name, log: &log)
  }
}
