/// Text cut into pieces that the model will look at one by one.
struct PreTokenizedText: Sendable {
  private(set) var text: AlignedText
  /// Ranges of `text`, in order, none empty; what lies between two of them is dropped.
  private(set) var pieces: [Range<Int>]
  /// Whether the text is the beginning of what the user gave.
  let isBeginning: Bool

  /// All of the text in one piece.
  init(_ text: AlignedText, isBeginning: Bool) {
    self.text = text
    self.isBeginning = isBeginning
    pieces = text.bytes.isEmpty ? [] : [text.bytes.indices]
  }

  /// Cuts each piece further: `cut` appends the parts of a piece, empty ones included.
  mutating func split(_ cut: (_ text: [UInt8], _ piece: Range<Int>, _ parts: inout [Range<Int>]) -> Void) {
    var parts: [Range<Int>] = []
    parts.reserveCapacity(pieces.count == 1 ? text.bytes.count / 4 + 1 : pieces.count)
    for piece in pieces { cut(text.bytes, piece, &parts) }
    pieces = parts
    if pieces.contains(where: { $0.isEmpty }) { pieces.removeAll { $0.isEmpty } }
  }

  /// Writes each piece anew.
  mutating func rewritePieces(_ body: (inout AlignedText.Rewriter, _ piece: Range<Int>) -> Void) {
    let old = pieces
    var new: [Range<Int>] = []
    new.reserveCapacity(old.count)
    text.rewrite { rewriter in
      for piece in old {
        let start = rewriter.bytes.count
        body(&rewriter, piece)
        if start < rewriter.bytes.count { new.append(start..<rewriter.bytes.count) }
      }
    }
    pieces = new
  }

  /// Whether a piece starts where the original text does.
  func startsOriginal(_ piece: Range<Int>) -> Bool {
    guard isBeginning else { return false }
    return text.origins == nil ? piece.lowerBound == 0 : text.origin(of: piece).lowerBound == 0
  }
}

/// Cuts text into the pieces that tokens do not cross.
protocol PreTokenizer: Sendable {
  /// Cuts the pieces of `text` further, and may rewrite them.
  func split(_ text: inout PreTokenizedText)

  /// Whether it matters to the splits where in the original a piece starts.
  var looksAtOrigins: Bool { get }
}

extension PreTokenizer {
  var looksAtOrigins: Bool { false }
}

/// Rewrites text before it is cut.
protocol Normalizer: Sendable {
  /// Normalizes the whole of `text`.
  func normalize(_ text: inout AlignedText)
}

extension Normalizer {
  /// The normalized form of a few bytes.
  func normalized(_ bytes: [UInt8]) -> [UInt8] {
    var text = AlignedText(bytes)
    normalize(&text)
    return text.bytes
  }
}
