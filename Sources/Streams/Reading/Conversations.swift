public import Tokenizers

/// Reads conversations out of the forms in which they are published.
///
/// - `messages`: a list of `{"role": …, "content": …}`, the roles `system` (at most once, first), `user` and `assistant`;
/// - `prompt` and `completion`;
/// - `instruction`, perhaps `input`, and `output` or `response`.
///
/// In the last two forms there may be a `system`.
enum Conversations {
  static let columns = [
    "messages", "system", "prompt", "completion", "instruction", "input", "output", "response",
  ]

  /// The conversation that a row's `columns` hold; empty where `log` got a problem.
  static func messages(
    _ fields: [(String, Field)], present: [String], log: (DataProblem.Kind) -> Void
  ) -> [ChatMessage] {
    let fields = Dictionary(uniqueKeysWithValues: fields)
    func text(_ column: String, isOptional: Bool = false) -> String? {
      switch fields[column] {
      case .text(let text):
        if !isOptional, text.allSatisfy(\.isWhitespace) { log(.emptyText(field: column)) }
        return text
      case .missing, nil:
        if !isOptional { log(.missingField(column, present: present)) }
      case .other("null") where isOptional: break
      default: log(.notText(field: column, found: "no string"))
      }
      return nil
    }
    func has(_ column: String) -> Bool { fields[column].map { $0 != .missing } ?? false }

    if let field = fields["messages"], field != .missing { return turns(field, log: log) }
    let question: String?
    let answer: String?
    if has("prompt") {
      (question, answer) = (text("prompt"), text("completion"))
    } else if has("instruction") {
      let input = text("input", isOptional: true) ?? ""
      question = text("instruction").map { input.isEmpty ? $0 : "\($0)\n\n\(input)" }
      answer = text(has("response") ? "response" : "output")
    } else {
      log(.conversation(.absent(present: present)))
      return []
    }
    guard let question, let answer else { return [] }
    let system = text("system", isOptional: true).flatMap { $0.isEmpty ? nil : ChatMessage(.system, $0) }
    return [system].compactMap { $0 } + [ChatMessage(.user, question), ChatMessage(.assistant, answer)]
  }

  private static func turns(_ field: Field, log: (DataProblem.Kind) -> Void) -> [ChatMessage] {
    guard case .turns(let turns) = field else {
      log(.conversation(field == .texts([]) ? .empty : .notTurns))
      return []
    }
    do {
      return try messages(turns, until: .assistant)
    } catch {
      log(.conversation(error))
      return []
    }
  }

  /// The messages of turns, of which the last is that of `last`.
  static func messages(_ turns: [Turn], until last: ChatMessage.Role) throws(ConversationProblem) -> [ChatMessage] {
    var messages: [ChatMessage] = []
    for (index, turn) in turns.enumerated() {
      guard let name = turn.role else { throw .turn(index + 1, .noRole) }
      guard let role = ChatMessage.Role(rawValue: name) else { throw .turn(index + 1, .role(name)) }
      guard let content = turn.content else { throw .turn(index + 1, .noContent) }
      guard !content.allSatisfy(\.isWhitespace) else { throw .turn(index + 1, .empty) }
      let next: ChatMessage.Role = messages.last?.role == .user ? .assistant : .user
      guard role == next || (messages.isEmpty && role == .system) else {
        throw .turn(index + 1, .order(found: role, expected: next))
      }
      messages.append(ChatMessage(role, content))
    }
    guard let end = messages.last else { throw .empty }
    guard end.role == last else { throw last == .user ? .answered : .unanswered }
    return messages
  }
}

/// A conversation that waits for the assistant's answer: a list of `{"role": …, "content": …}` in JSON.
public struct OpenConversation: Decodable, Sendable {
  public let messages: [ChatMessage]

  /// - Throws: `ConversationProblem` where the turns are no conversation that waits.
  public init(from decoder: any Decoder) throws {
    guard let turns = try? decoder.singleValueContainer().decode([Turn].self) else {
      throw ConversationProblem.notTurns
    }
    messages = try Conversations.messages(turns, until: .user)
  }
}

/// One thing wrong in a conversation of a data file.
public enum ConversationProblem: Error, Sendable, Hashable, CustomStringConvertible {
  /// None of the forms of a conversation.
  case absent(present: [String])
  case notTurns, empty, unanswered, answered, notJSONLines
  /// In a message, counted from 1.
  case turn(Int, Turn)

  /// What is wrong in a message.
  public enum Turn: Sendable, Hashable {
    case noRole, role(String), noContent, empty
    case order(found: ChatMessage.Role, expected: ChatMessage.Role)
  }

  public var description: String {
    switch self {
    case .absent(let present):
      "no conversation among \(quotedList(present)); write \"messages\", or \"prompt\" and \"completion\", or "
        + "\"instruction\" and \"output\""
    case .notTurns: "\"messages\" is no list of objects; write [{\"role\": \"user\", \"content\": \"…\"}, …]"
    case .empty:
      "the conversation is empty; write at least a message of the user and the assistant's answer, or remove the line"
    case .unanswered:
      "the conversation does not end with the assistant's message; add the answer, or remove what follows the last one"
    case .answered: "the conversation does not end with the user's message; remove the assistant's last answer"
    case .notJSONLines: "conversations stand in .jsonl files; write one object a line"
    case .turn(let number, .noRole):
      "message \(number) has no \"role\"; write \"system\", \"user\" or \"assistant\""
    case .turn(let number, .role(let role)):
      "message \(number) has the role \"\(role)\"; write \"system\", \"user\" or \"assistant\""
    case .turn(let number, .noContent): "message \(number) has no text as \"content\"; add it"
    case .turn(let number, .empty): "message \(number) is empty; fill it, or remove it with its answer"
    case .turn(let number, .order(let found, let expected)):
      "message \(number) is the \(found.rawValue)'s where the \(expected.rawValue)'s must stand; after at most one system "
        + "message user and assistant take turns: reorder or join the messages"
    }
  }
}
