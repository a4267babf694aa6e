/// Cuts text at white space and makes each punctuation mark a word.
struct BertPreTokenizer: PreTokenizer {
  func split(_ text: inout PreTokenizedText) {
    text.split { text, piece, parts in
      var position = piece.lowerBound
      while let word = BertPreTokenizer.nextWord(in: text, from: &position, to: piece.upperBound) { parts.append(word) }
    }
  }

  /// The next word of `text[position..<end]`; `position` moves behind it.
  private static func nextWord(in text: [UInt8], from position: inout Int, to end: Int) -> Range<Int>? {
    let ascii = ascii
    var start = position
    while position < end {
      let here = position
      let kind: Kind
      if text[position] < 0x80 {
        kind = ascii[Int(text[position])]
        position += 1
      } else {
        kind = self.kind(of: text.scalar(at: &position))
      }
      if kind == .letter { continue }
      if here > start {
        position = here
        return start..<here
      }
      if kind == .punctuation { return here..<position }
      start = position
    }
    return start < end ? start..<end : nil
  }

  private enum Kind: UInt8 { case letter, space, punctuation }

  private static let ascii = (UInt8(0)..<0x80).map { kind(of: Unicode.Scalar($0)) }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    let scalarClass = ScalarClass.of(scalar)
    if scalarClass.contains(.whitespace) { return .space }
    return scalarClass.contains(.punctuation) ? .punctuation : .letter
  }
}
