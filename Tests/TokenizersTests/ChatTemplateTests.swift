import Foundation
import Testing
import Tokenizers

struct ChatTemplateTests {
  private struct Case: Decodable {
    struct Message: Decodable { let role: String, content: String }
    struct Conversation: Decodable {
      let messages: [Message], prompt: Bool
      /// nil where the template refuses the order of roles.
      let text: String?
    }
    let name: String, template: String, bos: String, eos: String
    let conversations: [Conversation]
  }

  private static func cases() throws -> [Case] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Goldens/chat.json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  private static func template(_ name: String) throws -> ChatTemplate {
    let found = try #require(try cases().first { $0.name == name })
    return try ChatTemplate(recognising: found.template, bos: found.bos, eos: found.eos)
  }

  @Test func textsEqualTheReference() throws {
    let cases = try Self.cases()
    #expect(cases.count == 11)
    for wanted in cases {
      let template = try ChatTemplate(recognising: wanted.template, bos: wanted.bos, eos: wanted.eos)
      for conversation in wanted.conversations {
        let messages = try conversation.messages.map { ChatMessage(try #require(.init(rawValue: $0.role)), $0.content) }
        let text = try? template.render(messages, addingPrompt: conversation.prompt).text
        #expect(text == conversation.text, "\(wanted.name): \(conversation.messages.map(\.content))")
      }
    }
  }

  /// What stands before an answer is what leads the assistant to it, and the parts are the answers with their ends.
  @Test(arguments: [
    ("Llama 2", [" Two </s>", " Four </s>"]), ("Llama 3", ["Two<|eot_id|>", "Four<|eot_id|>"]),
    ("Mistral v0.1", ["Two</s>", "Four</s>"]), ("Mistral v0.2, revised", [" Two</s>", " Four</s>"]),
    ("Qwen2.5", ["Two<|im_end|>", "Four<|im_end|>"]),
    ("Qwen3", ["Two<|im_end|>", "<think>\n\n</think>\n\nFour<|im_end|>"]),
  ])
  func answersAreWhatTheAssistantWrites(_ name: String, _ answers: [String]) throws {
    let template = try Self.template(name)
    let messages = [
      ChatMessage(.user, "Oné"), ChatMessage(.assistant, "Two"), ChatMessage(.user, "Three"),
      ChatMessage(.assistant, "Four"),
    ]
    let chat = try template.render(messages), bytes = Array(chat.text.utf8)
    #expect(chat.answers.map { String(decoding: bytes[$0], as: UTF8.self) } == answers)
    for (answer, count) in zip(chat.answers, [1, 3]) {
      let prompt = try template.render(Array(messages.prefix(count)), addingPrompt: true)
      #expect(prompt.text == String(decoding: bytes[..<answer.lowerBound], as: UTF8.self))
    }
  }

  /// A family that is named writes what its published template writes.
  @Test(arguments: [
    ("llama2", "Llama 2"), ("llama3", "Llama 3"), ("mistral", "Mistral v0.2, revised"), ("chatml", "ChatML"),
  ])
  func aFamilyIsItsPublishedTemplate(_ family: String, _ name: String) throws {
    let published = try Self.template(name)
    let messages = [ChatMessage(.system, "Be kind."), ChatMessage(.user, " One"), ChatMessage(.assistant, "Two\n")]
    try Fixtures.withFolder([:]) { folder in
      let template = try #require(try ChatTemplate(family: family, in: folder))
      #expect(try template.render(messages) == published.render(messages))
      #expect(template.end == published.end && template.takesSystem)
      let isNone = try ChatTemplate(family: "alpaca", in: folder) == nil
      #expect(isNone)
    }
  }

  @Test func thoughtsAreNotSaid() throws {
    #expect(try Self.template("Qwen3").said(in: "<think>\nhm\n</think>\n\nFour") == "Four")
    #expect(try Self.template("Qwen2").said(in: " a </think> b") == " a </think> b")
    #expect(try !Self.template("Mistral v0.1").takesSystem)
  }

  @Test func aFolderSaysWhichTemplateItHas() throws {
    let found = try #require(try Self.cases().first { $0.name == "Llama 3" })
    let template = String(decoding: try JSONEncoder().encode(found.template), as: UTF8.self)
    for value in [template, "[{\"name\": \"default\", \"template\": \(template)}]"] {
      let settings = "{\"bos_token\": {\"content\": \"<B>\"}, \"eos_token\": \"<E>\", \"chat_template\": \(value)}"
      try Fixtures.withFolder(["tokenizer_config.json": settings]) { folder in
        let loaded = try ChatTemplate.load(from: folder)
        let text = try loaded.render([ChatMessage(.user, "x")]).text
        #expect(loaded.format == .llama3)
        #expect(text.hasPrefix("<B><|start_header_id|>user"))
      }
    }
    try Fixtures.withFolder(["chat_template.jinja": found.template, "tokenizer_config.json": "{}"]) { folder in
      let loaded = try ChatTemplate.load(from: folder)
      #expect(loaded.format == .llama3)
    }
  }

  private static let turns =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

  @Test(arguments: [
    "{{bos_token}}", "{{- bos_token -}}\n ", "{{ bos_token }}\n{%- set x = 1 %}",
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}",
  ])
  func aBeginningThatATemplateWritesIsWritten(_ beginning: String) throws {
    let template = try ChatTemplate(recognising: beginning + Self.turns, bos: "<s>", eos: "</s>")
    let chat = try template.render([ChatMessage(.user, "One"), ChatMessage(.assistant, "Two")])
    #expect(chat.text == "<s><|im_start|>user\nOne<|im_end|>\n<|im_start|>assistant\nTwo<|im_end|>\n")
    let bytes = Array(chat.text.utf8)
    #expect(chat.answers.map { String(decoding: bytes[$0], as: UTF8.self) } == ["Two<|im_end|>"])
  }

  @Test(arguments: [
    "", "{{ messages }}",
    // The beginning stands elsewhere, or not always, or twice, or before a line break.
    "{% if x %}{{ bos_token }}{% endif %}" + turns, turns + "{{ bos_token }}", "{{ bos_token }}{{ bos_token }}" + turns,
    "{{ bos_token }}\n" + turns, "{{ 'x' + bos_token }}" + turns, "{% set begin = bos_token %}" + turns,
    // More than the messages is written, or less of them.
    turns + "{{ eos_token }}", turns.replacing("message['content']", with: "message['content'] | trim"),
    turns.replacing("message['content']", with: "(message['content']|trim)"),
    turns.replacing("message['content']", with: "message['content'].strip()"),
    // A Llama 3 without its beginning.
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}",
    // Its last message ends without a line break.
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content']}}{% if loop.last %}"
      + "{{ '<|im_end|>'}}{% else %}{{ '<|im_end|>\\n' }}{% endif %}{% endfor %}",
    // Llama 3.1 writes dates.
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}"
      + "{{ 'Cutting Knowledge Date: December 2023' }}",
  ])
  func anotherTemplateIsRefused(_ template: String) {
    #expect(throws: ChatTemplateError.unrecognised(source: "here")) {
      try ChatTemplate(recognising: template, bos: "", eos: "", source: "here")
    }
  }

  @Test func errorsSayWhatToDo() throws {
    #expect(
      ChatTemplateError.unrecognised(source: "m/tokenizer_config.json: chat_template").localizedDescription == """
        m/tokenizer_config.json: chat_template is none that Jay knows. Supported: Llama 2, Llama 3, Mistral Instruct \
        v0.1 and v0.2, ChatML (Qwen2, Qwen2.5, Qwen3). Choose a model of these families, or replace the template by \
        one of theirs.
        """)
    try Fixtures.withFolder(["tokenizer_config.json": "{}"]) { folder in
      #expect(throws: ChatTemplateError.missing(directory: folder.path)) { try ChatTemplate.load(from: folder) }
    }
    #expect(
      ChatTemplateError.missing(directory: "m").description == """
        No chat template in m: neither chat_template.jinja nor a chat_template in tokenizer_config.json. Use a model \
        that was tuned on conversations, or copy the template from its source.
        """)
    let llama = try Self.template("Llama 2"), mistral = try Self.template("Mistral v0.1")
    #expect {
      try llama.render([ChatMessage(.system, "s"), ChatMessage(.user, "u"), ChatMessage(.user, "v")])
    } throws: {
      "\($0)" == """
        Message 3 is the user's: Llama 2's template wants user and assistant in turn, the user first, after at most \
        one system message. Reorder or join the messages.
        """
    }
    #expect {
      try mistral.render([ChatMessage(.system, "s"), ChatMessage(.user, "u")])
    } throws: {
      "\($0)" == """
        Message 1 is the system's: Mistral's template wants user and assistant in turn, the user first, and no system \
        message. Reorder or join the messages.
        """
    }
  }
}
