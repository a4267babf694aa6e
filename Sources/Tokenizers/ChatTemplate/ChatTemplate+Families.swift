public import Foundation

extension ChatTemplate {
  /// The families by name, for models that have no template of their own.
  public static let families = ["llama2", "llama3", "mistral", "chatml"]

  /// The template of a family, with the tokens that the files of a tokenizer name; nil for a name that is none.
  public init?(family: String, in directory: URL) throws {
    let settings = try TokenizerSettings(in: directory)
    func token(_ role: String, else usual: String) -> String { settings.name(of: role, else: usual) }
    switch family {
    case "llama2": self.init(.llama2, bos: token("bos", else: "<s>"), eos: token("eos", else: "</s>"))
    case "llama3": self.init(.llama3, bos: token("bos", else: "<|begin_of_text|>"), eos: "<|eot_id|>")
    case "mistral":
      let spaces = MistralSpaces(beforeInstruction: true, beforeAnswer: true, takesSystem: true)
      self.init(.mistral(spaces), bos: token("bos", else: "<s>"), eos: token("eos", else: "</s>"))
    case "chatml": self.init(.chatML(ChatMLFeatures()), bos: "", eos: "<|im_end|>")
    default: return nil
    }
  }

  /// Text of the token that ends an answer.
  public var end: String {
    switch format {
    case .llama2, .mistral: eos
    case .llama3: "<|eot_id|>"
    case .chatML: "<|im_end|>"
    }
  }

  /// What an assistant says in a text that it wrote: without its thoughts, where the family has them.
  public func said(in text: String) -> String {
    guard case .chatML(let features) = format, features.hasThoughts else { return text }
    return (text.components(separatedBy: "</think>").last ?? text).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Whether a system message may stand before the first user's.
  public var takesSystem: Bool {
    if case .mistral(let spaces) = format { return spaces.takesSystem }
    return true
  }
}
