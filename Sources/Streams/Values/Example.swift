/// One labeled text, or pair of texts.
public struct Example: Sendable, Hashable, Codable {
  /// Unique within its dataset.
  public let id: String
  /// The text, or the first of two.
  public let text: String
  /// The second text, where the task is about two (a hypothesis, a passage).
  public let pair: String?
  /// Index into the label names of the dataset.
  public let label: Int

  /// An example of these parts.
  public init(id: String, text: String, pair: String? = nil, label: Int) {
    self.id = id
    self.text = text
    self.pair = pair
    self.label = label
  }
}
