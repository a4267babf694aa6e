import Foundation
import Tokenizers

/// Examples as they stand in a file, with their labels still names.
struct RawDataset {
  struct Example {
    let line: Int
    let id: String
    let text: String
    let pair: String?
    /// Empty where answers are free.
    let label: String
    let answers: [String]
    let split: Split?
    /// The conversation; empty where it is none.
    var messages: [ChatMessage] = []
  }

  let file: String
  var examples: [Example] = []
  /// Whether every line could be read; otherwise an empty split is the consequence of another problem.
  var isReadable = true

  /// The labels that occur: in numeric order if all are integers, else in the order of their Unicode scalars.
  func labelNames(without ignored: Set<String>) -> [String] {
    let names = Set(examples.map(\.label)).subtracting(ignored)
    let numbers = names.compactMap { name in Int(name).map { (number: $0, name: name) } }
    guard numbers.count == names.count else {
      return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }
    return numbers.sorted { ($0.number, $0.name) < ($1.number, $1.name) }.map(\.name)
  }

  /// The examples of one split.
  func part(_ split: Split) -> RawDataset {
    var part = self
    part.examples.removeAll { $0.split != split }
    return part
  }
}

/// The splits of a task, with the spellings that are understood.
public enum Split: String, Sendable {
  case train, validation, test

  public init?(spelling: String) {
    switch spelling.lowercased() {
    case "train", "training": self = .train
    case "validation", "valid", "val", "dev": self = .validation
    case "test": self = .test
    default: return nil
    }
  }
}

extension DatasetReader {
  /// All examples of a file that have what they need; the problems of the others go to the log.
  func rows(of file: URL, splitColumn: String? = nil, log: inout ProblemLog) -> RawDataset {
    let builder = RowBuilder(columns: columns, splitColumn: splitColumn, file: file)
    var raw = RawDataset(file: file.relativePath)
    let problemsBefore = log.count
    func take(_ row: Row, _ log: inout ProblemLog) {
      if let example = builder.example(from: row, log: &log) { raw.examples.append(example) }
    }
    do {
      switch FileFormat(name: file.lastPathComponent) {
      case .jsonLines: try JSONLines(columns: builder.wanted).read(file, log: &log, take)
      case .delimited where columns.target == .conversation, .plainText where columns.target == .conversation:
        log.add(.conversation(.notJSONLines), file: raw.file)
      case .delimited(let separator):
        try DelimitedText(columns: builder.wanted, separator: separator).read(file, log: &log, take)
      case .plainText where columns.target.isNone: try PlainText(columns: builder.wanted).read(file, log: &log, take)
      case .plainText: log.add(.onlyDocuments, file: raw.file)
      case nil: log.add(.unknownFormat, file: raw.file)
      }
    } catch let error as ByteReadingError {
      log.add(error.problem, file: raw.file)
    } catch {
      log.add(.unreadable(reason: "\(error)"), file: raw.file)
    }
    raw.isReadable = log.count == problemsBefore
    return raw
  }
}
