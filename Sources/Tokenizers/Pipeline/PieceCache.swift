/// The tokens of pieces seen before.
///
/// An open-addressing table over the pieces' bytes. When it is full it starts anew: what comes often is soon back.
struct PieceCache {
  private struct Entry {
    /// 0 marks a free place.
    var hash: UInt64 = 0
    var keyStart: Int32 = 0
    var tokenStart: Int32 = 0
    var keyCount: UInt16 = 0
    var tokenCount: UInt16 = 0
  }

  /// Longer pieces are not kept: they seldom come again.
  static let maxBytes = 128

  private static let places = 1 << 16
  private static let capacity = places / 2

  private var entries: [Entry] = []
  private var count = 0
  private var keys: [UInt8] = []
  /// Ranges count from the start of the piece.
  private var tokens: [Token] = []

  /// A place in the table where a piece is, or would be.
  struct Place {
    fileprivate var hash: UInt64
    fileprivate var index: Int
  }

  /// Appends the tokens of `text[piece]`, or says where to remember them; `nil` too where that does not pay.
  mutating func append(_ piece: Range<Int>, of text: [UInt8], to result: inout [Token]) -> (isKnown: Bool, Place?) {
    guard piece.count <= PieceCache.maxBytes else { return (false, nil) }
    if entries.isEmpty { entries = Array(repeating: Entry(), count: PieceCache.places) }
    let hash = PieceCache.hash(text, piece)
    var index = Int(truncatingIfNeeded: hash) & (PieceCache.places - 1)
    while entries[index].hash != 0 {
      let entry = entries[index]
      if entry.hash == hash, isKey(entry, text, piece) {
        replay(entry, at: piece.lowerBound, to: &result)
        return (true, nil)
      }
      index = (index + 1) & (PieceCache.places - 1)
    }
    return (false, Place(hash: hash, index: index))
  }

  private func replay(_ entry: Entry, at start: Int, to result: inout [Token]) {
    for index in Int(entry.tokenStart)..<(Int(entry.tokenStart) + Int(entry.tokenCount)) {
      let token = tokens[index]
      result.append(
        Token(id: token.id, range: (token.range.lowerBound + start)..<(token.range.upperBound + start)))
    }
  }

  /// Remembers the tokens of a piece.
  mutating func remember(_ piece: Range<Int>, of text: [UInt8], as new: ArraySlice<Token>, at place: Place) {
    if count == PieceCache.capacity {
      self = PieceCache()
      return
    }
    entries[place.index] = Entry(
      hash: place.hash, keyStart: Int32(keys.count), tokenStart: Int32(tokens.count), keyCount: UInt16(piece.count),
      tokenCount: UInt16(new.count))
    keys += text[piece]
    let start = piece.lowerBound
    tokens += new.lazy.map {
      Token(id: $0.id, range: ($0.range.lowerBound - start)..<($0.range.upperBound - start))
    }
    count += 1
  }

  private func isKey(_ entry: Entry, _ text: [UInt8], _ piece: Range<Int>) -> Bool {
    guard Int(entry.keyCount) == piece.count else { return false }
    let start = Int(entry.keyStart)
    for offset in 0..<piece.count where keys[start + offset] != text[piece.lowerBound + offset] { return false }
    return true
  }

  /// FNV-1a with a last stir, never 0.
  private static func hash(_ text: [UInt8], _ piece: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in piece { hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    return hash | 1 << 63
  }
}
