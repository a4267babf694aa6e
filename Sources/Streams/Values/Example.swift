public import Tokenizers

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
  /// The conversation whose last message is the answer; empty where it is none.
  public let messages: [ChatMessage]

  /// The messages of a conversation as lines, each with its role.
  public var turns: [String] { messages.map { "\($0.role.rawValue): \($0.content)" } }

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

  /// A document, or two texts: nothing is asked about it.
  public init(id: String, document: String, pair: String? = nil) {
    self.init(id: id, text: document, pair: pair, label: -1, answers: [])
  }

  /// A conversation that ends with the assistant's answer; others may be accepted too.
  /// - Precondition: the last message is the assistant's.
  public init(id: String, conversation: [ChatMessage], accepted: [String] = []) {
    guard let last = conversation.last, last.role == .assistant else {
      preconditionFailure("Example(\(id)): the conversation does not end with the assistant's message")
    }
    self.init(
      id: id, text: conversation.dropLast().map(\.content).joined(separator: "\n"), pair: nil, label: -1,
      answers: accepted.isEmpty ? [last.content] : accepted, messages: conversation)
  }

  private init(
    id: String, text: String, pair: String?, label: Int, answers: [String], messages: [ChatMessage] = []
  ) {
    self.id = id
    self.text = text
    self.pair = pair
    self.label = label
    self.answers = answers
    self.messages = messages
  }
}
