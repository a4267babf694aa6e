import Continual
public import Foundation
import Models
import NN
import Streams
import Tokenizers

/// How a model reads the conversations of a stream.
struct Chat {
  let template: ChatTemplate
  /// Ends an answer.
  let end: Int32
  private let tokenizer: any Tokenizer

  /// - Parameters:
  ///   - name: a family, a folder, or empty for what the model's own folder says.
  ///   - stream: where the conversations are, for the error.
  ///   - tokenizer: encodes what the template writes.
  ///   - folder: of the tokenizer.
  /// - Throws: `ChatError`, `ChatTemplateError`.
  init(_ name: String, for stream: String, tokenizer: any Tokenizer, folder: URL) throws {
    template = try Self.template(name, for: stream, folder: folder)
    // Spelled out in pieces it would not end what the model writes.
    let own = tokenizer.bareIDs(of: template.end)
    guard own.count == 1 else { throw ChatError.noEndToken(template.end, folder: folder.path) }
    (end, self.tokenizer) = (own[0], tokenizer)
  }

  private static func template(_ name: String, for stream: String, folder: URL) throws -> ChatTemplate {
    if name.isEmpty {
      do { return try ChatTemplate.load(from: folder) } catch ChatTemplateError.missing {
        throw ChatError.noTemplate(stream: stream, folder: folder.path)
      }
    }
    if let family = try ChatTemplate(family: name, in: folder) { return family }
    guard FileManager.default.fileExists(atPath: name) else { throw ChatError.unknownTemplate(name) }
    return try ChatTemplate.load(from: URL(fileURLWithPath: name))
  }

  /// How conversations are read by a model that reads `maxTokens` at most, `maxPromptTokens` of them before it writes.
  func form(maxTokens: Int, maxPromptTokens: Int, turns: AssistantTurns) throws -> ConversationForm {
    let form = ConversationForm(
      template: template, maxTokens: maxTokens, maxPromptTokens: maxPromptTokens, turns: turns)
    // Below this a question without a word would not fit.
    let least = 2 * form.marks(tokenizer)
    let room = min(maxTokens, 2 * maxPromptTokens)
    guard room >= least else { throw ChatError.noRoom(room, least: least) }
    return form
  }

  /// Refuses conversations that the template cannot write.
  func check(_ experiences: [Experience]) throws {
    guard !template.takesSystem else { return }
    for experience in experiences {
      for dataset in [experience.train, experience.validation, experience.test] {
        for example in dataset.examples where example.messages.first?.role == .system {
          throw ChatError.systemMessage(example: example.id, dataset: dataset.name)
        }
      }
    }
  }
}

extension ChatTemplate {
  /// What an assistant says so far in a text that is still being written; nil while it may only be thinking, in families
  /// whose thoughts are not said.
  func said(soFar text: String) -> String? {
    let start = "<think>", end = "</think>", words = text.trimmingPrefix(while: \.isWhitespace)
    let mayThink = (start.hasPrefix(words) || words.hasPrefix(start)) && !words.contains(end)
    return mayThink && said(in: text + end).isEmpty ? nil : said(in: text)
  }
}

/// Conversations that a model cannot read.
public enum ChatError: LocalizedError, CustomStringConvertible, Equatable {
  case noTemplate(stream: String, folder: String)
  case unknownTemplate(String)
  case noEndToken(String, folder: String)
  case noRoom(Int, least: Int)
  case systemMessage(example: String, dataset: String)
  case needsDecoder(stream: String)

  public var description: String {
    let families = ChatTemplate.families.joined(separator: ", ")
    return switch self {
    case .noTemplate(let stream, let folder):
      "'\(stream)' holds conversations, but the model in \(folder) does not say how it writes them: it has no chat template. "
        + "Set model.chatTemplate to a family (\(families)), or to the folder of a model that has one."
    case .unknownTemplate(let name):
      "model.chatTemplate '\(name)' is neither a family nor a folder. Write one of \(families), or the folder of a model that "
        + "has a chat template."
    case .noEndToken(let end, let folder):
      "the tokenizer in \(folder) has no token '\(end)', with which the chat template ends an answer. Set "
        + "model.chatTemplate to a family whose tokens it has (\(families)), or choose the tokenizer of a chat model."
    case .noRoom(let count, let least):
      "the chat template needs \(least) tokens for a conversation without a word and an answer as long, and training.maxTokens "
        + "with evaluation.maxAnswerTokens leaves \(count). Raise training.maxTokens, or lower evaluation.maxAnswerTokens."
    case .systemMessage(let example, let dataset):
      "example '\(example)' of \(dataset) begins with a system message, which the chat template does not take. Remove such "
        + "messages, or set model.chatTemplate to another family."
    case .needsDecoder(let stream):
      "'\(stream)' holds conversations, and only a decoder goes on with one. Choose a model of type llama, mistral, qwen2 or "
        + "qwen3."
    }
  }
  public var errorDescription: String? { description }
}
