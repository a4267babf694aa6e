import Foundation

/// Text to token ids and back.
///
/// Implementations are immutable values: one tokenizer serves any number of threads.
public protocol Tokenizer: Sendable {
  /// Number of distinct tokens, added tokens included: the rows an embedding table needs.
  var vocabularySize: Int { get }

  /// Ids of the tokens with a role of their own.
  var specialTokens: SpecialTokens { get }

  /// Encodes a text, or a pair of texts, with the special tokens of the model around them.
  ///
  /// The result has at most `maxTokens` ids, special tokens included; `nil` is no limit. A pair gives up the end of
  /// its longer text first.
  /// - Precondition: `maxTokens` has room for the special tokens.
  func encode(_ text: String, pair: String?, maxTokens: Int?) -> Encoding

  /// Text of the ids. Ids outside the vocabulary are left out, and where `skipSpecialTokens` so are `[CLS]`, `[SEP]`
  /// and their kin.
  func decode(_ ids: [Int32], skipSpecialTokens: Bool) -> String
}

/// Token ids of one text or pair of texts.
public struct Encoding: Sendable, Equatable {
  /// Token ids.
  public var ids: [Int32]
  /// For each id the segment (token type) it belongs to: as a rule 0 for the first text, 1 for its pair.
  public var segments: [Int32]

  /// Joins ids with their segments, two arrays of one length.
  public init(ids: [Int32], segments: [Int32]) {
    precondition(ids.count == segments.count, "Encoding: \(ids.count) ids but \(segments.count) segments")
    self.ids = ids
    self.segments = segments
  }
}

/// Ids of the tokens with a role of their own; `nil` where the model has none.
public struct SpecialTokens: Sendable, Equatable {
  /// Fills a batch to equal lengths.
  public var pad: Int32?
  /// Opens an input; its output stands for the whole input in classification.
  public var cls: Int32?
  /// Closes a text.
  public var sep: Int32?
  /// Stands for a word the vocabulary cannot spell.
  public var unk: Int32?
  /// Stands for a word to be predicted.
  public var mask: Int32?

  /// Names the ids; all are absent unless given.
  public init(
    pad: Int32? = nil, cls: Int32? = nil, sep: Int32? = nil, unk: Int32? = nil, mask: Int32? = nil
  ) {
    self.pad = pad
    self.cls = cls
    self.sep = sep
    self.unk = unk
    self.mask = mask
  }
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
