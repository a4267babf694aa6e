import Continual
public import Foundation
import Streams

/// Which columns of a file of examples hold what; several columns of a text are joined.
public struct Columns: Sendable {
  private let text, pair: [String]
  private let label, id: String?

  /// An empty `text` is the column `text`; without `label` it is `label`, or `answer` where answers are free texts; without
  /// `id` it is the file's name and line.
  public init(text: [String] = [], pair: [String] = [], label: String? = nil, id: String? = nil) {
    (self.text, self.pair, self.label, self.id) = (text.isEmpty ? ["text"] : text, pair, label, id)
  }

  /// The columns of texts that nothing is known about.
  var unlabeled: ColumnMap { ColumnMap(text: text, pair: pair, target: .none, id: id) }

  /// The columns of data like those of an experience.
  func map(for experience: Experience) -> ColumnMap {
    if experience.holdsDocuments { return ColumnMap(text: text, target: .none) }
    if experience.holdsConversations { return ColumnMap(target: .conversation) }
    let isFree = experience.labels.isEmpty
    return ColumnMap(
      text: text, pair: pair, target: isFree ? .answers(label ?? "answer") : .label(label ?? "label"))
  }
}

/// New data that become one more experience of a finished run.
public struct Addition: Sendable {
  /// A file of examples, or a folder: with a `stream.json`, or with `train.*` and perhaps `validation.*`, `test.*`.
  public var data: URL
  /// A file of test examples; without one, a part of the data is held out.
  public var test: URL?
  /// Name of the experience; nil for that of the file or folder.
  public var name: String?
  public var columns: Columns

  /// Share of the data that is held out where there is no test file.
  static let testShare = 0.2

  public init(data: URL, test: URL? = nil, name: String? = nil, columns: Columns = Columns()) {
    (self.data, self.test, self.name, self.columns) = (data, test, name, columns)
  }

  /// The data as experiences that fit behind a stream.
  /// - Parameter seed: draws the held-out part.
  /// - Returns: the experiences, and what a user should know of them.
  func read(behind stream: TaskStream, seed: UInt64) throws -> (experiences: [Experience], notes: [String]) {
    var notes: [String] = []
    let experiences =
      try FileManager.default.fileExists(atPath: data.appendingPathComponent("stream.json").path)
      ? streamFolder()
      : [
        files(behind: stream, seed: seed, notes: &notes).measured(by: stream.experiences[0].measure)
          .prompted(by: prompt(behind: stream, notes: &notes))
      ]
    let known = stream.experiences.map(\.name)
    if let twice = experiences.map(\.name).first(where: known.contains) {
      throw AdditionError.nameTaken(twice, known: known)
    }
    if stream.sharesLabels { notes += try labelNotes(experiences.flatMap(\.labels), known: stream.classNames) }
    let report = StreamReport(TaskStream(name: "added", experiences: experiences))
    for experience in report.experiences where !experience.overlap.isEmpty {
      notes.append("\(experience.overlap.count) test texts of '\(experience.name)' stand in its training data too")
    }
    return (experiences, notes + report.labelRemarks)
  }

  /// Which labels are new to a run with one set of them.
  /// - Throws: `AdditionError.similarLabels`.
  private func labelNotes(_ labels: [String], known: [String]) throws -> [String] {
    let new = labels.reduce(into: [String]()) { new, label in
      if !known.contains(label), !new.contains(label) { new.append(label) }
    }
    let similar = new.compactMap { label in
      SimilarLabels.label(like: label, among: known).map { (new: label, known: $0) }
    }
    guard similar.isEmpty else { throw AdditionError.similarLabels(similar.map(\.new), known: similar.map(\.known)) }
    return new.isEmpty ? [] : ["new to the run's labels: \(StreamReport.list(new))"]
  }

  /// The prompt that all tasks so far have.
  private func prompt(behind stream: TaskStream, notes: inout [String]) -> Prompt {
    let prompt = stream.experiences[0].prompt
    if stream.experiences.allSatisfy({ $0.prompt == prompt }) { return prompt }
    notes.append(
      "the tasks so far have prompts of their own, so a model that answers in text reads the new one in the plain form; "
        + "a folder with a stream.json can give it a prompt (jay show folder)")
    return .plain
  }

  private func streamFolder() throws -> [Experience] {
    guard test == nil else { throw AdditionError.testBesideFolder(data.path) }
    let experiences = try StreamLoader.load(data).experiences
    guard let name else { return experiences }
    guard experiences.count == 1 else { throw AdditionError.oneNameForSeveral(data.path, experiences.map(\.name)) }
    return [experiences[0].renamed(name)]
  }

  private func files(behind stream: TaskStream, seed: UInt64, notes: inout [String]) throws -> Experience {
    let (train, validation, test) = try splits()
    let name = name ?? String(data.lastPathComponent.prefix { $0 != "." })
    let columns = columns.map(for: stream.experiences[0])
    let found = try DatasetReader(columns: columns).read(train).labels
    let reader = DatasetReader(columns: columns, labels: labels(found, behind: stream))
    if let test {
      return Experience(
        name: name, splits: try reader.read(train: train, validation: validation, test: test, name: name))
    }
    let all = try reader.read(train, name: "\(name)/train")
    let (kept, held) = all.split(validation: .fraction(Self.testShare), seed: seed)
    guard !held.isEmpty else { throw AdditionError.tooFewToTest(train.path, count: all.count) }
    notes.append(
      "no test file: \(held.count) of \(all.count) examples of \(train.lastPathComponent) are held out as the test set")
    return Experience(
      name: name, train: kept, validation: try validation.map { try reader.read($0, name: "\(name)/validation") },
      test: held)
  }

  /// The file of each split.
  private func splits() throws -> (train: URL, validation: URL?, test: URL?) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: data.path, isDirectory: &isFolder), isFolder.boolValue else {
      return (data, nil, test)
    }
    guard test == nil else { throw AdditionError.testBesideFolder(data.path) }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: data.path)) ?? []).sorted()
    func file(_ split: Split) -> URL? {
      names.first { Split(spelling: String($0.prefix { $0 != "." })) == split }.map(data.appendingPathComponent)
    }
    guard let train = file(.train) else { throw AdditionError.noTrainingFile(data.path) }
    return (train, file(.validation), file(.test))
  }

  /// Where all experiences so far share one set of labels, the new ones belong to it and unknown labels extend it;
  /// elsewhere the labels are those of the file.
  private func labels(_ found: [String], behind stream: TaskStream) -> [String] {
    guard stream.sharesLabels, stream.declaration.labelRelation == .same, let known = stream.experiences.first?.labels
    else {
      return found
    }
    // As the reader of declared labels has it.
    let readsIndices = known.allSatisfy { Int($0) == nil }
    let new = found.filter { label in
      !known.contains(label) && !(readsIndices && (Int(label).map(known.indices.contains) ?? false))
    }
    return new.count == found.count ? found : known + new
  }
}

/// New data that cannot become an experience of a run.
public enum AdditionError: LocalizedError, CustomStringConvertible, Equatable {
  case unfinished(String)
  case noCheckpoint(String)
  case nameTaken(String, known: [String])
  case tooFewToTest(String, count: Int)
  case testBesideFolder(String)
  case oneNameForSeveral(String, [String])
  case noTrainingFile(String)
  /// Labels, and those of the run that they are but for case or blanks.
  case similarLabels([String], known: [String])

  public var description: String {
    switch self {
    case .unfinished(let path):
      "\(path) is not finished, so nothing can be added to it yet. Finish it first: jay run --resume --out \(path)"
    case .noCheckpoint(let path):
      "the last checkpoint of \(path) is missing or damaged, so nothing can be built on it. 'jay verify \(path)' says "
        + "what is wrong; restore the folder, or train anew with its recipe.yaml."
    case .nameTaken(let name, let known):
      "the run has an experience '\(name)' already (\(known.joined(separator: ", "))). Choose another name: --name NAME"
    case .tooFewToTest(let path, let count):
      "\(path) has \(count) \(count == 1 ? "example" : "examples"), too few to hold some out for testing. "
        + "Give test data: --test FILE"
    case .testBesideFolder(let path):
      "\(path) is a folder, which has its own test data. Leave out --test, or name a file in --data."
    case .oneNameForSeveral(let path, let names):
      "\(path) holds several experiences (\(names.joined(separator: ", "))), so one name is not enough. "
        + "Leave out --name."
    case .noTrainingFile(let path):
      "\(path) has neither a stream.json nor a train.jsonl (.csv, .tsv, each also .gz). Name a file of examples, "
        + "or add one of these."
    case .similarLabels(let labels, let known):
      "the labels \(StreamReport.list(labels)) differ only in case or blanks from \(StreamReport.list(known)), which the "
        + "run knows, and would become classes of their own. Write them as the run does."
    }
  }
  public var errorDescription: String? { description }
}
