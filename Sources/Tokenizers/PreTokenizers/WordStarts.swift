/// Cuts before each run of a mark.
struct WordStarts: PreTokenizer {
  let mark: [UInt8]

  func split(_ text: inout PreTokenizedText) {
    text.split { text, piece, parts in parts += self.parts(of: text, piece) }
  }

  func parts(of text: [UInt8], _ piece: Range<Int>) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = piece.lowerBound
    var position = start
    var followsMark = true
    while position < piece.upperBound {
      let isMark = text[position] == mark[0] && text[position..<piece.upperBound].starts(with: mark)
      if isMark, !followsMark {
        parts.append(start..<position)
        start = position
      }
      followsMark = isMark
      position += UTF8.width(startingWith: text[position])
    }
    parts.append(start..<piece.upperBound)
    return parts
  }
}
