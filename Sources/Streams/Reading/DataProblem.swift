/// One thing wrong in a data file: what, where, and how to mend it.
public struct DataProblem: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file, as it was given.
  public let file: String
  /// The line, counted from 1, or `nil` where the whole file is meant.
  public let line: Int?
  /// What is wrong.
  public let kind: Kind

  /// The kinds of problem.
  public enum Kind: Sendable, Hashable {
    case absent, isFolder, unreadable(reason: String), unknownFormat, onlyDocuments
    case notGzip, truncatedGzip, corruptGzip(detail: String)
    case notUTF8, notJSON
    case missingField(String, present: [String])
    case notText(field: String, found: String)
    case notLabel(field: String, found: String)
    case emptyText(field: String)
    case unknownLabel(String, known: [String])
    case unknownSplit(String)
    case emptySplit(String)
    case duplicateID(String, firstLine: Int)
    case returnsAlone
    case columnCount(Int, expected: Int)
    case duplicateColumn(String)
    case unclosedQuote, textAfterQuote
    case conversation(ConversationProblem)
    case stream(key: String, StreamFileProblem)
  }

  public var description: String {
    "\(file):\(line.map { "\($0):" } ?? "") \(kind)".spellingControls
  }
}

/// All that is wrong in a set of data files; the first twenty problems are kept, the others counted.
public struct DataError: Error, Sendable, Hashable, CustomStringConvertible {
  /// How many problems are kept.
  public static let limit = 20
  /// The first problems, in the order of the files and lines.
  public let problems: [DataProblem]
  /// How many problems came after those.
  public let more: Int

  public var description: String {
    var sentences = problems.map(\.description)
    if more > 0 { sentences.append("and \(more) more \(more == 1 ? "problem" : "problems")") }
    return sentences.joined(separator: "\n")
  }
}

/// Gathers problems, so that a user sees them all at once.
struct ProblemLog {
  private var problems: [DataProblem] = []
  private(set) var count = 0

  mutating func add(_ kind: DataProblem.Kind, file: String, line: Int? = nil) {
    count += 1
    if problems.count < DataError.limit { problems.append(DataProblem(file: file, line: line, kind: kind)) }
  }

  /// Throws what was gathered, if anything.
  func check() throws(DataError) {
    guard count == 0 else { throw DataError(problems: problems, more: count - problems.count) }
  }
}
