public import Foundation

/// The three splits of a task; `validation` may be empty.
public struct Splits: Sendable, Hashable {
  /// The examples to learn from.
  public let train: Dataset
  /// The examples to choose settings by.
  public let validation: Dataset
  /// The examples to measure on.
  public let test: Dataset
}

/// Reads datasets from `.jsonl`, `.csv`, `.tsv` and `.txt` files, each also with `.gz` behind it. A line of a `.txt` file
/// is a document.
///
/// All that is wrong in all files of a call is reported together, as a `DataError`.
public struct DatasetReader: Sendable {
  /// Where the parts of an example stand.
  public var columns: ColumnMap
  /// The label names in the order of their indices.
  ///
  /// Without them the labels are those of the training file: in numeric order where all are integers, else in the
  /// order of their Unicode scalars, so that the order of the lines does not matter. With them, a label that is no
  /// name but an integer is taken as an index.
  public var labels: [String]?
  /// Labels that mean "no gold label": such examples are left out and counted in `Dataset.dropped`.
  public var ignoredLabels: Set<String>

  /// A reader of these columns and labels.
  public init(columns: ColumnMap = ColumnMap(), labels: [String]? = nil, ignoredLabels: Set<String> = []) {
    self.columns = columns
    self.labels = labels
    self.ignoredLabels = ignoredLabels
  }

  /// Reads one file; without `labels`, they are those that stand in it.
  public func read(_ file: URL, name: String? = nil) throws -> Dataset {
    var log = ProblemLog()
    let raw = rows(of: file, log: &log)
    let dataset = resolve(
      raw, name: name ?? file.stem,
      labels: names(raw), log: &log)
    try log.check()
    return dataset
  }

  /// Reads the splits of a task from a file each; labels must occur in train, or be declared.
  public func read(train: URL, validation: URL? = nil, test: URL, name: String) throws -> Splits {
    var log = ProblemLog()
    let splits = read(train: train, validation: validation, test: test, name: name, log: &log)
    try log.check()
    return splits
  }

  /// Reads the splits of a task from one file, in which `splitColumn` says to which split a line belongs.
  public func read(_ file: URL, splitColumn: String, name: String) throws -> Splits {
    var log = ProblemLog()
    let splits = read(file, splitColumn: splitColumn, name: name, log: &log)
    try log.check()
    return splits
  }

  func read(train: URL, validation: URL?, test: URL, name: String, log: inout ProblemLog) -> Splits {
    let train = rows(of: train, log: &log)
    let validation = validation.map { rows(of: $0, log: &log) }
    return splits(train, validation, rows(of: test, log: &log), name: name, log: &log)
  }

  func read(_ file: URL, splitColumn: String, name: String, log: inout ProblemLog) -> Splits {
    let all = rows(of: file, splitColumn: splitColumn, log: &log)
    let validation = all.part(.validation)
    return splits(
      all.part(.train), validation.examples.isEmpty ? nil : validation, all.part(.test), name: name, log: &log)
  }

  private func splits(
    _ train: RawDataset, _ validation: RawDataset?, _ test: RawDataset, name: String, log: inout ProblemLog
  ) -> Splits {
    let names = names(train)
    return Splits(
      train: resolve(train, name: "\(name)/train", labels: names, log: &log),
      validation: validation.map { resolve($0, name: "\(name)/validation", labels: names, log: &log) }
        ?? Dataset(name: "\(name)/validation", labels: names, examples: []),
      test: resolve(test, name: "\(name)/test", labels: names, log: &log))
  }

  /// Turns label names into indices and checks what can only be checked for a whole split.
  private func resolve(_ raw: RawDataset, name: String, labels names: [String], log: inout ProblemLog) -> Dataset {
    let indices = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var firstLines: [String: Int] = [:]
    var examples: [Example] = []
    examples.reserveCapacity(raw.examples.count)
    var dropped = 0
    for example in raw.examples {
      if let first = firstLines.updateValue(example.line, forKey: example.id) {
        firstLines[example.id] = first
        log.add(.duplicateID(example.id, firstLine: first), file: raw.file, line: example.line)
      }
      if ignoredLabels.contains(example.label) {
        dropped += 1
        continue
      }
      switch columns.target {
      case .label: break
      case .answers:
        examples.append(Example(id: example.id, text: example.text, pair: example.pair, answers: example.answers))
        continue
      case .conversation:
        examples.append(Example(id: example.id, conversation: example.messages))
        continue
      case .none:
        examples.append(Example(id: example.id, document: example.text, pair: example.pair))
        continue
      }
      guard let label = indices[example.label] ?? declaredIndex(example.label) else {
        // Without any training example nothing is known, and that is the problem to report.
        if !names.isEmpty { log.add(.unknownLabel(example.label, known: names), file: raw.file, line: example.line) }
        continue
      }
      examples.append(Example(id: example.id, text: example.text, pair: example.pair, label: label))
    }
    if raw.isReadable && raw.examples.count == dropped {
      log.add(.emptySplit(name.split(separator: "/").last.map(String.init) ?? name), file: raw.file)
    }
    return Dataset(name: name, labels: names, examples: examples, dropped: dropped)
  }

  /// The label names of data whose training file is this.
  private func names(_ train: RawDataset) -> [String] {
    columns.target.isLabel ? labels ?? train.labelNames(without: ignoredLabels) : []
  }

  private func declaredIndex(_ label: String) -> Int? {
    // Names that are integers themselves leave no room for indices.
    guard let labels, labels.allSatisfy({ Int($0) == nil }), let index = Int(label) else { return nil }
    return labels.indices.contains(index) ? index : nil
  }
}

extension URL {
  /// The file's name without its extensions.
  var stem: String { String(lastPathComponent.prefix { $0 != "." }) }
}
