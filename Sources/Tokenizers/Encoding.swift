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

/// A part of one of the two texts given to `encode`.
public struct TextSpan: Sendable, Hashable {
  /// Whether it is a part of the second text.
  public var isPair: Bool
  /// Bytes of the text in UTF-8.
  public var utf8: Range<Int>

  /// A part of the first text, or of its pair.
  public init(isPair: Bool, utf8: Range<Int>) {
    self.isPair = isPair
    self.utf8 = utf8
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
  /// Begins a text that a model continues.
  public var bos: Int32?
  /// Ends a text that a model wrote.
  public var eos: Int32?

  /// Names the ids; all are absent unless given.
  public init(
    pad: Int32? = nil, cls: Int32? = nil, sep: Int32? = nil, unk: Int32? = nil, mask: Int32? = nil,
    bos: Int32? = nil, eos: Int32? = nil
  ) {
    self.pad = pad
    self.cls = cls
    self.sep = sep
    self.unk = unk
    self.mask = mask
    self.bos = bos
    self.eos = eos
  }
}
