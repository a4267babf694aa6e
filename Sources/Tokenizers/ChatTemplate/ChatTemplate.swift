public import Foundation

/// How a model writes conversations down.
///
/// A model's `chat_template` is a program in Jinja. It is not run: it is recognised by what the published templates of
/// the supported families have in common, and anything else is refused.
public struct ChatTemplate: Sendable, Equatable {
  /// The supported families.
  public enum Format: Sendable, Equatable {
    /// `[INST]` with the system message between `<<SYS>>` marks (Touvron et al. 2023, arXiv 2307.09288).
    case llama2
    /// `<|start_header_id|>`, as in Llama 3; 3.1 and later add dates and tools and are not supported.
    case llama3
    /// `[INST]` as in Mistral 7B Instruct v0.1 and v0.2.
    case mistral(MistralSpaces)
    /// `<|im_start|>`: Qwen2, Qwen2.5, Qwen3 and others.
    case chatML(ChatMLFeatures)
  }

  /// What the versions of Mistral's template differ in.
  public struct MistralSpaces: Sendable, Equatable {
    /// A space before `[INST]`.
    var beforeInstruction = false
    /// A space before an answer.
    var beforeAnswer = false
    /// A space behind the token that ends an answer.
    var afterAnswer = false
    /// Whether a system message may stand before the first user's.
    var takesSystem = false
  }

  /// What the versions of ChatML differ in.
  public struct ChatMLFeatures: Sendable, Equatable {
    /// The system message of conversations without one; nil for none.
    var defaultSystem: String?
    /// Qwen3: earlier answers lose their thoughts; the last one always has some, if empty.
    var hasThoughts = false
    /// InternLM2: the token that begins a text stands before the first message.
    var beginsWithBOS = false
  }

  public let format: Format
  /// The texts of the tokens that begin and end a text.
  let bos: String, eos: String

  /// - Parameters:
  ///   - template: what `chat_template` holds.
  ///   - bos: text of the token that begins a text.
  ///   - eos: text of the token that ends one.
  ///   - source: where the template comes from, for the error.
  /// - Throws: ``ChatTemplateError/unrecognised(source:)``.
  public init(recognising template: String, bos: String, eos: String, source: String = "the chat template") throws {
    guard let format = Self.format(of: template) else { throw ChatTemplateError.unrecognised(source: source) }
    (self.format, self.bos, self.eos) = (format, bos, eos)
  }

  init(_ format: Format, bos: String, eos: String) { (self.format, self.bos, self.eos) = (format, bos, eos) }

  /// The template of a model's folder, from `chat_template.jinja` or `tokenizer_config.json`.
  public static func load(from directory: URL) throws -> ChatTemplate {
    let settings = try TokenizerSettings(in: directory)
    let bos = settings.name(of: "bos", else: ""), eos = settings.name(of: "eos", else: "")
    let file = directory.appendingPathComponent("chat_template.jinja")
    if FileManager.default.fileExists(atPath: file.path) {
      let text = String(decoding: try JSONField.bytes(of: file), as: UTF8.self)
      return try ChatTemplate(recognising: text, bos: bos, eos: eos, source: file.path)
    }
    let configuration = directory.appendingPathComponent("tokenizer_config.json")
    guard FileManager.default.fileExists(atPath: configuration.path),
      let field = try JSONField(contentsOf: configuration).optional("chat_template")
    else { throw ChatTemplateError.missing(directory: directory.path) }
    return try ChatTemplate(
      recognising: try text(field), bos: bos, eos: eos, source: "\(configuration.path): chat_template")
  }

  /// A template is one text, or a list of named ones; the one for conversations is called `default`.
  private static func text(_ field: JSONField) throws -> String {
    guard case .array = field.value else { return try field.string() }
    let named = try field.elements().first { try $0.member("name").string() == "default" }
    return try (named ?? field).member("template").string()
  }
}
