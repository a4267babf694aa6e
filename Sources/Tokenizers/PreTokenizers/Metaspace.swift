/// Writes blanks as a visible mark, puts one before the text, and cuts before each.
struct Metaspace: PreTokenizer {
  enum PrependScheme: String, CaseIterable {
    /// Before the piece the text begins with.
    case first
    case never
    /// Before each piece.
    case always
  }

  let replacement: Unicode.Scalar
  let prependScheme: PrependScheme
  let splits: Bool
  /// Whether a mark is put before what begins with one, too, as SentencePiece does.
  var repeatsMark = false

  var looksAtOrigins: Bool { prependScheme == .first }

  func split(_ text: inout PreTokenizedText) {
    let mark = Array(String(replacement).utf8)
    let marked = text
    let source = marked.text.bytes
    text.rewritePieces { result, piece in
      let first = source[piece.lowerBound]
      let startsWithMark = !repeatsMark && (first == 0x20 || source[piece].starts(with: mark))
      if !startsWithMark, prependScheme == .always || (prependScheme == .first && marked.startsOriginal(piece)) {
        result.put(mark, for: piece.lowerBound..<(piece.lowerBound + UTF8.width(startingWith: first)))
      }
      var kept = piece.lowerBound
      for position in piece where source[position] == 0x20 {
        if kept < position { result.keep(kept..<position) }
        result.put(mark, for: position..<(position + 1))
        kept = position + 1
      }
      result.keep(kept..<piece.upperBound)
    }
    guard splits else { return }
    text.split { text, piece, parts in
      var start = piece.lowerBound
      var position = start
      while position < piece.upperBound {
        if position > start, text[position] == mark[0], text[position..<piece.upperBound].starts(with: mark) {
          parts.append(start..<position)
          start = position
        }
        position += UTF8.width(startingWith: text[position])
      }
      parts.append(start..<piece.upperBound)
    }
  }
}
