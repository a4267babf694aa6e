public import Foundation

/// Domains of plain text, for continual pre-training.
///
/// The folder holds `domains.json` and, for each domain, `train.jsonl.gz` and `valid.jsonl.gz` with a document a line;
/// a domain is measured on its `valid` file. One more domain, `cl15`, is read from the folder of that name beside it
/// where it is asked for: the bare texts of all tasks of `CL15`, without their labels.
public enum Corpora {
  /// The named domains in this order; all of them but `cl15` where none is named. `areTold`: whether the domain of a text is
  /// known when the model is tested.
  /// - Throws: `StreamError.unknownExperience`, `StreamError.duplicateExperience`, `DataError`.
  public static func stream(_ folder: URL, domains: [String] = [], areTold: Bool = false) throws -> TaskStream {
    struct Entry: Decodable { let domain: String }
    let known = try (CL15.decode("domains.json", in: folder) as [Entry]).map(\.domain)
    let wanted = domains.isEmpty ? known : domains
    if let stranger = wanted.first(where: { !known.contains($0) && $0 != benchmark }) {
      throw StreamError.unknownExperience(stranger, known: known + [benchmark], stream: "corpora")
    }
    var log = ProblemLog()
    let reader = DatasetReader(columns: ColumnMap(text: "text", target: .none, id: "id"))
    var experiences = known.filter(wanted.contains).map { domain in
      let place = folder.appendingPathComponent(domain)
      return Experience(
        name: domain,
        splits: reader.read(
          train: place.appendingPathComponent("train.jsonl.gz"), validation: nil,
          test: place.appendingPathComponent("valid.jsonl.gz"), name: domain, log: &log))
    }
    if wanted.contains(benchmark) {
      experiences.append(
        try texts(ofTasksIn: folder.deletingLastPathComponent().appendingPathComponent(benchmark), log: &log))
    }
    try log.check()
    return try TaskStream(
      name: "corpora", declaration: StreamDeclaration(hasTaskLabelAtTest: areTold), experiences: experiences
    ).subset(names: wanted)
  }

  private static let benchmark = "cl15"

  private static func texts(ofTasksIn folder: URL, log: inout ProblemLog) throws -> Experience {
    let tasks: [CL15.TaskEntry] = try CL15.decode("tasks.json", in: folder)
    let reader = DatasetReader(columns: ColumnMap(text: "text", target: .none))
    let splits = tasks.map { task in
      let place = folder.appendingPathComponent(task.task)
      return reader.read(
        train: place.appendingPathComponent("train.jsonl.gz"), validation: nil,
        test: place.appendingPathComponent("test.jsonl.gz"), name: task.task, log: &log)
    }
    func joined(_ parts: [Dataset], _ split: String) -> Dataset {
      let examples = zip(tasks, parts).flatMap { task, part in
        part.examples.map { Example(id: "\(task.task)/\($0.id)", document: $0.text) }
      }
      return Dataset(name: "\(benchmark)/\(split)", labels: [], examples: examples)
    }
    return Experience(
      name: benchmark, train: joined(splits.map(\.train), "train"), test: joined(splits.map(\.test), "test"))
  }
}
