/// Which columns of a file hold what.
///
/// A column of a JSON line may lie in an inner object: `pieces.premise`. Several columns given for a text are joined
/// by a line break.
public struct ColumnMap: Sendable, Hashable, Codable {
  /// Columns of the text, at least one.
  public var text: [String]
  /// Columns of the second text; empty where the task has none.
  public var pair: [String]
  /// Column of the label.
  public var label: String
  /// Without it the id of an example is its file's name and line, `train:12`.
  public var id: String?
  /// Column of the accepted answers, a text or a list of texts, where answers are free; `label` is not read then.
  public var answer: String?

  /// A map with any number of columns for each text.
  public init(text: [String] = ["text"], pair: [String] = [], label: String = "label", id: String? = nil) {
    precondition(!text.isEmpty, "ColumnMap(text: []): a column for the text is needed")
    self.text = text
    self.pair = pair
    self.label = label
    self.id = id
  }

  /// A map with one column for each text.
  public init(text: String, pair: String? = nil, label: String = "label", id: String? = nil) {
    self.init(text: [text], pair: pair.map { [$0] } ?? [], label: label, id: id)
  }
}
