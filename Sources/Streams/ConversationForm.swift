public import Tokenizers

/// Which answers of a conversation are learned.
public enum AssistantTurns: String, Codable, Sendable, CaseIterable { case all, last }

/// How a language model reads conversations.
public struct ConversationForm: Sendable {
  public let template: ChatTemplate
  /// Most tokens of a conversation.
  public let maxTokens: Int
  /// Most tokens of what stands before the last answer.
  public let maxPromptTokens: Int
  public let turns: AssistantTurns

  public init(template: ChatTemplate, maxTokens: Int, maxPromptTokens: Int, turns: AssistantTurns = .all) {
    (self.template, self.maxTokens) = (template, maxTokens)
    (self.maxPromptTokens, self.turns) = (maxPromptTokens, turns)
  }
}

/// How many conversations of an experience were too long, and what they lost.
public struct ShortenedConversations: Sendable, Equatable {
  /// Their first turns, the system message excepted.
  public internal(set) var turns = 0
  /// The end of the last question.
  public internal(set) var questions = 0
  /// The end of the last answer.
  public internal(set) var answers = 0

  public init() {}

  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.turns += right.turns
    sum.questions += right.questions
    sum.answers += right.answers
    return sum
  }
}

extension ConversationForm {
  /// Tokens around a question without a word.
  public func marks(_ tokenizer: any Tokenizer) -> Int {
    ConversationReader(tokenizer: tokenizer, form: self).read([ChatMessage(.user, "")], addingPrompt: true).ids.count
  }

  /// The ids of a conversation as training reads it, those that the assistant writes, and how many ids are left out
  /// of one that is too long.
  /// - Precondition: the template takes its roles.
  public func read(
    _ messages: [ChatMessage], _ tokenizer: any Tokenizer
  ) -> (ids: [Int32], isWritten: [Bool], leftOut: Int) {
    let reader = ConversationReader(tokenizer: tokenizer, form: self)
    let whole = reader.read(messages), kept = reader.read(reader.fitted(messages).messages)
    let ids = Array(kept.ids.prefix(maxTokens))
    return (ids, kept.answers.prefix(maxTokens).map { $0 != nil }, whole.ids.count - ids.count)
  }
}
