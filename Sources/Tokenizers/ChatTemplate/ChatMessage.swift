/// One turn of a conversation.
public struct ChatMessage: Sendable, Hashable, Codable {
  public enum Role: String, Sendable, Hashable, Codable {
    case system, user, assistant
  }

  public var role: Role
  public var content: String

  public init(_ role: Role, _ content: String) { (self.role, self.content) = (role, content) }
}

/// A conversation as the text that a model reads.
public struct ChatText: Sendable, Equatable {
  /// With the special tokens spelled out: encode it without adding others.
  public internal(set) var text = ""
  /// Bytes of the text, in UTF-8, that the assistant writes: its messages and the tokens that end them. A loss on
  /// answers alone counts these.
  public internal(set) var answers: [Range<Int>] = []

  mutating func add(_ part: String) { text += part }

  mutating func addAnswer(_ part: String) {
    let start = text.utf8.count
    text += part
    answers.append(start..<text.utf8.count)
  }
}
