public import Tokenizers

/// How many texts of an experience were too long and lost their end.
public struct CutTexts: Sendable, Equatable {
  /// Texts or prompts.
  public internal(set) var texts = 0
  /// Free answers.
  public internal(set) var answers = 0

  public init() {}
}

extension Tokenizer {
  /// Encodes many texts in at most `maxTokens` ids each, and counts those that lose their end.
  func encodeAllCounting(_ texts: [(String, String?)], maxTokens: Int) -> (encodings: [Encoding], cut: Int) {
    let encodings = encodeAll(texts, maxTokens: maxTokens)
    // What fills the room may have fitted just so.
    let full = encodings.indices.filter { encodings[$0].ids.count == maxTokens }
    let longer = encodeAll(full.map { texts[$0] }, maxTokens: maxTokens + 1)
    return (encodings, longer.count { $0.ids.count > maxTokens })
  }

  /// The ids of a text alone, without special tokens around it.
  public func bareIDs(of text: String) -> [Int32] {
    let (encoding, spans) = encodeWithSpans(text)
    // Special tokens come from no part of the text.
    return zip(encoding.ids, spans).filter { $0.1 != nil }.map(\.0)
  }
}
