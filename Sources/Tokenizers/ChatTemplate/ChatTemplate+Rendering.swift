import Foundation

extension ChatTemplate {
  /// The conversation as text, with the parts that the assistant writes.
  /// - Parameters:
  ///   - messages: the conversation so far, not empty.
  ///   - addingPrompt: whether what leads the assistant to answer is added at the end.
  /// - Throws: ``ChatTemplateError/roles(template:position:found:takesSystem:)`` where the model's template refuses the order.
  public func render(_ messages: [ChatMessage], addingPrompt: Bool = false) throws -> ChatText {
    precondition(!messages.isEmpty, "ChatTemplate: a conversation without messages")
    switch format {
    case .llama2: return try llama2(messages)
    case .llama3: return llama3(messages, addingPrompt)
    case .mistral(let spaces): return try mistral(messages, spaces)
    case .chatML(let features): return chatML(messages, features, addingPrompt)
    }
  }

  private func llama2(_ messages: [ChatMessage]) throws -> ChatText {
    let (system, turns) = try alternating(messages, "Llama 2", takesSystem: true)
    var result = ChatText()
    for (index, turn) in turns.enumerated() {
      let before = index == 0 ? system.map { "<<SYS>>\n\($0)\n<</SYS>>\n\n" } ?? "" : ""
      let content = (before + turn.content).trimmed
      if turn.role == .user {
        result.add("\(bos)[INST] \(content) [/INST]")
      } else {
        result.addAnswer(" \(content) \(eos)")
      }
    }
    return result
  }

  private func llama3(_ messages: [ChatMessage], _ addingPrompt: Bool) -> ChatText {
    var result = ChatText()
    result.add(bos)
    func header(_ role: ChatMessage.Role) -> String { "<|start_header_id|>\(role.rawValue)<|end_header_id|>\n\n" }
    for message in messages {
      result.add(header(message.role))
      result.add(message.content.trimmed + "<|eot_id|>", by: message.role)
    }
    if addingPrompt { result.add(header(.assistant)) }
    return result
  }

  private func mistral(_ messages: [ChatMessage], _ spaces: MistralSpaces) throws -> ChatText {
    let (system, turns) = try alternating(messages, "Mistral", takesSystem: spaces.takesSystem)
    var result = ChatText()
    result.add(bos)
    for (index, turn) in turns.enumerated() {
      if turn.role == .user {
        let before = index == 0 ? system.map { $0 + "\n\n" } ?? "" : ""
        result.add("\(spaces.beforeInstruction ? " " : "")[INST] \(before)\(turn.content) [/INST]")
      } else {
        result.addAnswer((spaces.beforeAnswer ? " " : "") + turn.content + eos)
        if spaces.afterAnswer { result.add(" ") }
      }
    }
    return result
  }

  private func chatML(_ messages: [ChatMessage], _ features: ChatMLFeatures, _ addingPrompt: Bool) -> ChatText {
    var result = ChatText()
    if features.beginsWithBOS { result.add(bos) }
    if let system = features.defaultSystem, messages[0].role != .system {
      result.add("<|im_start|>system\n\(system)<|im_end|>\n")
    }
    let lastQuestion = messages.lastIndex { $0.role == .user && !$0.isToolResponse } ?? messages.count - 1
    for (index, message) in messages.enumerated() {
      var content = message.content
      if features.hasThoughts, message.role == .assistant {
        let isLast = index == messages.count - 1
        content = withThoughts(content, areKept: index > lastQuestion, isLast: isLast)
      }
      result.add("<|im_start|>\(message.role.rawValue)\n")
      result.add(content + "<|im_end|>", by: message.role)
      result.add("\n")
    }
    if addingPrompt { result.add("<|im_start|>assistant\n") }
    return result
  }

  /// Qwen3's form of an answer that may begin with `<think>…</think>`.
  private func withThoughts(_ answer: String, areKept: Bool, isLast: Bool) -> String {
    let parts = answer.components(separatedBy: "</think>")
    let breaks = CharacterSet(charactersIn: "\n")
    let thoughts =
      parts.count > 1
      ? (parts[0].components(separatedBy: "<think>").last ?? "").trimmingCharacters(in: breaks) : ""
    let said = parts.count > 1 ? String((parts.last ?? "").trimmingPrefix { $0 == "\n" }) : answer
    guard areKept, isLast || !thoughts.isEmpty else { return said }
    return "<think>\n\(thoughts)\n</think>\n\n\(said.trimmingPrefix { $0 == "\n" })"
  }

  /// The system message, and the turns of user and assistant, which begins with the user.
  private func alternating(
    _ messages: [ChatMessage], _ name: String, takesSystem: Bool
  ) throws -> (system: String?, turns: ArraySlice<ChatMessage>) {
    let hasSystem = takesSystem && messages[0].role == .system
    let turns = messages.dropFirst(hasSystem ? 1 : 0)
    for (index, turn) in turns.enumerated() where turn.role != (index % 2 == 0 ? .user : .assistant) {
      throw ChatTemplateError.roles(
        template: name, position: index + (hasSystem ? 2 : 1), found: turn.role, takesSystem: takesSystem)
    }
    return (hasSystem ? messages[0].content : nil, turns)
  }
}

extension ChatText {
  /// Adds what stands in a message of `role`.
  fileprivate mutating func add(_ part: String, by role: ChatMessage.Role) {
    if role == .assistant { addAnswer(part) } else { add(part) }
  }
}

extension ChatMessage {
  /// What a tool gave back, which is written as a user's message and is no question.
  fileprivate var isToolResponse: Bool {
    content.hasPrefix("<tool_response>") && content.hasSuffix("</tool_response>")
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
