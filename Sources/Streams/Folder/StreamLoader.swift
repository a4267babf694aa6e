public import Foundation

/// Loads a stream from a folder that holds a `stream.json` and the files it names.
///
/// ```json
/// {"name": "tickets", "taskLabelAtTest": false, "sharedLabels": true, "experiences": [
///   {"name": "march", "train": "march/train.csv", "test": "march/test.csv", "text": ["title", "body"]},
///   {"name": "april", "file": "april.jsonl", "splitColumn": "split"}]}
/// ```
/// `taskLabelAtTest` (default true) says whether the task is known when the model is tested; `sharedLabels` (default
/// false) whether labels of the same name in several tasks are the same class. For language models a task may have a
/// `prompt` (see `Prompt`), and a column `answer` of free texts in place of `label`. With `"documents": true` the texts
/// are only read, to pretrain on; such a file may be a `.txt` with one document a line. With `"conversations": true` a
/// line is a conversation, in one of three forms: `messages` (a list of `role` and `content`), `prompt` and `completion`,
/// or `instruction`, perhaps `input`, and `output`. `measure` says how a language model's answers are measured:
/// `scored`, `exactMatch`, `rougeL`, `finalNumber` or `loss`.
public enum StreamLoader {
  /// - Throws: `DataError` with all that is wrong in `stream.json` and in the files.
  public static func load(_ folder: URL) throws -> TaskStream {
    let file = folder.appendingPathComponent(StreamFile.name)
    var log = ProblemLog()
    let stream = try description(file, log: &log)
    let experiences = stream.experiences.map { experience($0, in: folder, log: &log) }
    try log.check()
    return TaskStream(
      name: stream.name, declaration: StreamDeclaration(hasTaskLabelAtTest: stream.taskLabelAtTest),
      sharesLabels: stream.sharedLabels, experiences: experiences)
  }

  /// The description alone: a folder whose `stream.json` is wrong is not read further.
  private static func description(_ file: URL, log: inout ProblemLog) throws -> StreamFile {
    let path = file.relativePath
    let stream = StreamFile(try DataFile.contents(of: file), file: path, log: &log)
    try log.check()
    guard let stream else { preconditionFailure("StreamFile(\(path)): no value and no problem") }
    return stream
  }

  private static func experience(_ entry: StreamFile.Entry, in folder: URL, log: inout ProblemLog) -> Experience {
    let reader = DatasetReader(columns: entry.columns, labels: entry.labels)
    let splits: Splits
    switch entry.files {
    case .splits(let train, let validation, let test):
      splits = reader.read(
        train: folder.appendingPathComponent(train), validation: validation.map(folder.appendingPathComponent),
        test: folder.appendingPathComponent(test), name: entry.name, log: &log)
    case .one(let file, let column):
      splits = reader.read(
        folder.appendingPathComponent(file), splitColumn: column, name: entry.name, log: &log)
    }
    return Experience(name: entry.name, splits: splits).prompted(by: entry.prompt ?? .plain)
      .measured(by: entry.measure)
  }
}

extension Experience {
  /// An experience of splits that were read together.
  public init(name: String, splits: Splits) {
    self.init(name: name, train: splits.train, validation: splits.validation, test: splits.test)
  }
}
