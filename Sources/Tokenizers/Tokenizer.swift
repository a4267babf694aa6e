import Foundation

/// Text to token ids and back.
///
/// Implementations are immutable values: one tokenizer serves any number of threads.
public protocol Tokenizer: Sendable {
  /// One more than the largest id, added tokens included: the rows an embedding table needs.
  var vocabularySize: Int { get }

  /// Ids of the tokens with a role of their own.
  var specialTokens: SpecialTokens { get }

  /// Encodes a text, or a pair of texts, with the special tokens of the model around them.
  ///
  /// The result has at most `maxTokens` ids, special tokens included; `nil` is no limit. A pair gives up the end of
  /// its longer text first.
  /// - Precondition: `maxTokens` has room for the special tokens.
  func encode(_ text: String, pair: String?, maxTokens: Int?) -> Encoding

  /// Encodes as `encode` does, and says for each id which part of which text it comes from.
  ///
  /// `nil` stands at special tokens. This is slower than `encode`.
  /// - Precondition: `maxTokens` has room for the special tokens.
  func encodeWithSpans(
    _ text: String, pair: String?, maxTokens: Int?
  ) -> (encoding: Encoding, spans: [TextSpan?])

  /// Encodes a text whole, and says for each id which bytes of the text it comes from: blanks that a token begins or ends
  /// with belong to it, also where `encodeWithSpans` leaves them out, as tokenizers of bytes do.
  func encodeWithWholeSpans(_ text: String) -> (encoding: Encoding, spans: [TextSpan?])

  /// Text of the ids. Ids outside the vocabulary are left out, and where `skipSpecialTokens` so are `[CLS]`, `</s>`
  /// and their kin.
  func decode(_ ids: [Int32], skipSpecialTokens: Bool) -> String
}

extension Tokenizer {
  /// Encodes a text, or a pair of texts, whole.
  public func encode(_ text: String, pair: String? = nil) -> Encoding {
    encode(text, pair: pair, maxTokens: nil)
  }

  /// Encodes a text in at most `maxTokens` ids, special tokens included.
  public func encode(_ text: String, maxTokens: Int?) -> Encoding {
    encode(text, pair: nil, maxTokens: maxTokens)
  }

  /// Encodes a text whole, and says for each id which bytes of the text it comes from.
  public func encodeWithSpans(_ text: String) -> (encoding: Encoding, spans: [TextSpan?]) {
    encodeWithSpans(text, pair: nil, maxTokens: nil)
  }

  /// Encodes many texts on all cores; the result has their order.
  public func encodeAll(_ texts: [(String, String?)], maxTokens: Int? = nil) -> [Encoding] {
    // Small enough to share the work evenly, large enough that handing it out costs nothing.
    let chunk = 32
    return Array(unsafeUninitializedCapacity: texts.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      DispatchQueue.concurrentPerform(iterations: (texts.count + chunk - 1) / chunk) { part in
        for index in (part * chunk)..<min(texts.count, (part + 1) * chunk) {
          let (text, pair) = texts[index]
          results.initializeElement(at: index, to: encode(text, pair: pair, maxTokens: maxTokens))
        }
      }
      count = texts.count
    }
  }
}
