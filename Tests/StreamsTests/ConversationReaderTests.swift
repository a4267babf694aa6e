import Foundation
import Testing
import Tokenizers

@testable import Streams

/// Conversations as tokens.
@Suite(.enabled(if: hasTokenizers, "the tokenizers are not at \(tokenizersFolder.path)"))
struct ConversationReaderTests {
  private struct Case: Decodable {
    let family: String
    let messages: [ChatMessage]
    let ids: [Int32]
    /// Places of what the assistant writes.
    let written: [Int]
    let prompt: [Int32]
  }

  private static func cases() throws -> [Case] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = tests.appendingPathComponent("TokenizersTests/Goldens/conversations.json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  /// GPT-2's vocabulary with the special tokens of a family behind it, or Llama 2's own.
  private static func reader(
    _ family: String, maxTokens: Int = 512, maxPromptTokens: Int = 512, turns: AssistantTurns = .all
  ) throws -> ConversationReader {
    let special = [
      "llama3": ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
      "chatml": ["<|im_start|>", "<|im_end|>"],
    ]
    let folder = try TemporaryFolder()
    let isLlama2 = family == "llama2"
    for name in isLlama2 ? ["tokenizer.model"] : ["vocab.json", "merges.txt"] {
      let source = tokenizersFolder.appendingPathComponent("\(isLlama2 ? "llama" : "gpt2")/\(name)")
      try FileManager.default.copyItem(at: source, to: folder.url.appendingPathComponent(name))
    }
    let kind = #""special": true, "normalized": false, "lstrip": false, "rstrip": false, "single_word": false"#
    let added = (special[family] ?? []).enumerated().map {
      #""\#(50257 + $0)": {"content": "\#($1)", \#(kind)}"#
    }
    try folder.write(#"{"added_tokens_decoder": {\#(added.joined(separator: ", "))}}"#, to: "tokenizer_config.json")
    let template = try #require(try ChatTemplate(family: family, in: folder.url))
    return ConversationReader(
      tokenizer: try TokenizerLoader.load(from: folder.url),
      form: ConversationForm(template: template, maxTokens: maxTokens, maxPromptTokens: maxPromptTokens, turns: turns))
  }

  @Test(arguments: ["llama2", "llama3", "chatml"])
  func idsAndTheirLossEqualTheReference(_ family: String) throws {
    let reader = try Self.reader(family), last = try Self.reader(family, turns: .last)
    let cases = try Self.cases().filter { $0.family == family }
    #expect(cases.count == 4)
    for wanted in cases {
      let reading = reader.read(wanted.messages)
      #expect(reading.ids == wanted.ids)
      #expect(reading.answers.indices.filter { reading.answers[$0] != nil } == wanted.written)
      let example = Example(id: "e", conversation: wanted.messages)
      let (trained, shortened) = reader.trained(example, experience: 3)
      #expect(trained.answer == wanted.written.map { wanted.ids[$0] } && trained.experience == 3)
      #expect(trained.places.map(Int.init) == wanted.written.map { $0 - 1 })
      #expect(trained.tokens == Array(wanted.ids.prefix(trained.tokens.count)) && shortened == .init())
      let measured = reader.measured(example, experience: 3).0
      #expect(measured.tokens == wanted.prompt && measured.accepted == example.answers)
      #expect(measured.answer == Array(trained.answer.suffix(measured.answer.count)))
      let lastOnly = last.trained(example, experience: 3).0
      #expect(lastOnly.answer == measured.answer && lastOnly.tokens == trained.tokens)
    }
  }

  @Test(arguments: ["llama2", "llama3", "chatml"])
  func theTokenThatEndsAnAnswerIsLearned(_ family: String) throws {
    let reader = try Self.reader(family)
    let messages = [ChatMessage(.user, "Hello"), ChatMessage(.assistant, "World")]
    let trained = reader.trained(Example(id: "e", conversation: messages), experience: 0).0
    #expect(reader.tokenizer.decode([trained.answer.last ?? -1], skipSpecialTokens: false) == reader.form.template.end)
  }

  @Test func longConversationsLoseTheirFirstTurnsFirst() throws {
    let words = { (count: Int) in Array(repeating: "word", count: count).joined(separator: " ") }
    func lost(
      _ turns: [Int], system: Int = 0, prompt: Int = 60
    ) throws -> (ShortenedConversations, TokenizedExample, TokenizedExample) {
      let reader = try Self.reader("chatml", maxTokens: 64, maxPromptTokens: prompt)
      let talk = turns.enumerated().map { ChatMessage($0 % 2 == 0 ? .user : .assistant, words($1)) }
      let all = (system > 0 ? [ChatMessage(.system, words(system))] : []) + talk
      let example = Example(id: "e", conversation: all)
      let (trained, shortened) = reader.trained(example, experience: 0)
      let measured = reader.measured(example, experience: 0).0
      #expect(trained.tokens.count <= 64 && measured.tokens.count + measured.answer.count <= 64)
      #expect(!trained.answer.isEmpty && !measured.answer.isEmpty)
      return (shortened, trained, measured)
    }
    var (shortened, trained, _) = try lost([20, 20, 5, 5])
    #expect(shortened.turns == 1 && shortened.questions == 0 && shortened.answers == 0)
    #expect(trained.answer.count == 6)
    // The whole fits, but not what stands before the last answer.
    (shortened, trained, _) = try lost([10, 5, 10, 5], prompt: 30)
    #expect(shortened.turns == 1 && shortened.questions == 0 && shortened.answers == 0)
    (shortened, trained, _) = try lost([100, 10], system: 3)
    #expect(shortened.turns == 0 && shortened.questions == 1 && shortened.answers == 0)
    #expect(trained.answer.count == 11)
    // Half of the tokens are the answer's at least.
    (shortened, trained, _) = try lost([100, 100])
    #expect(shortened.questions == 1 && shortened.answers == 1)
    #expect((32...34).contains(trained.answer.count))
    (shortened, trained, _) = try lost([5, 5], system: 100)
    #expect(shortened.questions == 1 && trained.answer.count == 6)
  }
}

private let tokenizersFolder = dataFolder.appendingPathComponent("tokenizers")
private let hasTokenizers = FileManager.default.fileExists(
  atPath: tokenizersFolder.appendingPathComponent("llama/tokenizer.model").path)
