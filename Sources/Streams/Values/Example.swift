/// One labeled text, or pair of texts; one that asks for a text; or a document to pretrain on.
public struct Example: Sendable, Hashable, Codable {
  /// Unique within its dataset.
  public let id: String
  /// The text, or the first of two.
  public let text: String
  /// The second text, where the task is about two (a hypothesis, a passage).
  public let pair: String?
  /// Index into the label names of the dataset; −1 where there is none.
  public let label: Int
  /// The accepted texts, where the answer is free; the first is trained.
  public let answers: [String]

  /// An example of these parts.
  public init(id: String, text: String, pair: String? = nil, label: Int) {
    self.init(id: id, text: text, pair: pair, label: label, answers: [])
  }

  /// An example whose answer is a free text.
  /// - Precondition: at least one answer.
  public init(id: String, text: String, pair: String? = nil, answers: [String]) {
    precondition(!answers.isEmpty, "Example(\(id)): no answer")
    self.init(id: id, text: text, pair: pair, label: -1, answers: answers)
  }

  /// A document: nothing is asked about it.
  public init(id: String, document: String) {
    self.init(id: id, text: document, pair: nil, label: -1, answers: [])
  }

  private init(id: String, text: String, pair: String?, label: Int, answers: [String]) {
    self.id = id
    self.text = text
    self.pair = pair
    self.label = label
    self.answers = answers
  }
}
