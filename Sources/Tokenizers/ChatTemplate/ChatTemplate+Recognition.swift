extension ChatTemplate {
  /// The family whose published templates have what this one has.
  static func format(of template: String) -> Format? {
    // Templates write line breaks inside texts either way.
    let text = template.replacing("\\n", with: "\n")
    func has(_ parts: String...) -> Bool { parts.allSatisfy(text.contains) }
    if has("<|im_start|>", "<|im_end|>") { return chatML(text).map(Format.chatML) }
    if has("bos_token", "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'", "| trim + '<|eot_id|>'") {
      return has("tools") || has("Knowledge Date") ? nil : .llama3
    }
    if has("'<<SYS>>\n' + system_message + '\n<</SYS>>\n\n'", "bos_token + '[INST] '", "' ' + eos_token") {
      // The first version wrote a long system message of its own.
      return has("You are a helpful") ? nil : .llama2
    }
    if has("bos_token", "[INST] ' + message['content'] + ' [/INST]'", "eos_token"), !has("<<SYS>>"), !has("tools") {
      return .mistral(
        MistralSpaces(
          beforeInstruction: has("' [INST] '"), beforeAnswer: has("' ' + message['content'] + eos_token"),
          afterAnswer: has("eos_token + ' '"), takesSystem: has("system_message + '\n\n'")))
    }
    return nil
  }

  private static func chatML(_ text: String) -> ChatMLFeatures? {
    func has(_ part: String) -> Bool { text.contains(part) }
    // Without a line break behind the last message, or with thoughts begun for the model, it is another template.
    guard has("'<|im_start|>' + message['role'] + '\n'") || has("'<|im_start|>' + message.role + '\n'"),
      has("<|im_start|>assistant\n'"), !has("'<|im_end|>'}}"), !has("'<|im_end|>' }}"), !has("eos_token"),
      // Messages are written as they are.
      !text.contains(/\|\s*trim\b|\.strip\(\)/), let beginsWithBOS = beginsWithBOS(text)
    else { return nil }
    var features = ChatMLFeatures(hasThoughts: has("reasoning_content"), beginsWithBOS: beginsWithBOS)
    for part in text.split(separator: "'<|im_start|>system\n").dropFirst() {
      guard let end = part.firstRange(of: "<|im_end|>") else { continue }
      let content = part[..<end.lowerBound]
      if content.isEmpty || content.contains("'") { continue }
      features.defaultSystem = String(content.replacing("\\\\", with: "\\"))
    }
    return features
  }

  /// Whether the template writes the token that begins a text, always and before all else; nil where it does so otherwise.
  private static func beginsWithBOS(_ text: String) -> Bool? {
    guard let place = text.firstRange(of: "bos_token") else { return false }
    let before = text[..<place.lowerBound], behind = text[place.upperBound...]
    let isAlways =
      before.matches(of: /\{%-?\s*(?:if|for)\b/).count == before.matches(of: /\{%-?\s*end(?:if|for)\b/).count
    let isAlone =
      before.contains(/\{\{-?\s*$/) && behind.starts(with: /\s*(?:-\}\}|\}\}(?:\{|\s*\{[%{]-))/)
    return isAlways && isAlone && !before.contains("<|im_start|>") && !behind.contains("bos_token") ? true : nil
  }
}
