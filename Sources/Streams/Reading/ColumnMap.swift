/// Which columns of a file hold what.
///
/// A column of a JSON line may lie in an inner object: `pieces.premise`. Several columns given for a text are joined
/// by a line break.
public struct ColumnMap: Sendable, Hashable, Codable {
  /// Columns of the text, at least one.
  public var text: [String]
  /// Columns of the second text; empty where the task has none.
  public var pair: [String]
  /// What is to be learned of a text.
  public var target: Target
  /// Without it the id of an example is its file's name and line, `train:12`.
  public var id: String?

  /// What is to be learned of a text, and the column that holds it.
  public enum Target: Sendable, Hashable, Codable {
    /// A label.
    case label(String)
    /// Accepted answers: a text or a list of texts.
    case answers(String)
    /// Nothing: it is a document to pretrain on.
    case none
    /// The assistant's answers in a conversation, which stands in columns of its own (`Conversations`).
    case conversation

    var column: String? {
      switch self {
      case .label(let column), .answers(let column): column
      case .none, .conversation: nil
      }
    }

    var isLabel: Bool { if case .label = self { true } else { false } }
    var isNone: Bool { self == .none }
  }

  /// A map with any number of columns for each text.
  public init(text: [String] = ["text"], pair: [String] = [], target: Target = .label("label"), id: String? = nil) {
    precondition(!text.isEmpty, "ColumnMap(text: []): a column for the text is needed")
    self.text = text
    self.pair = pair
    self.target = target
    self.id = id
  }

  /// A map with one column for each text.
  public init(text: String, pair: String? = nil, target: Target = .label("label"), id: String? = nil) {
    self.init(text: [text], pair: pair.map { [$0] } ?? [], target: target, id: id)
  }
}
