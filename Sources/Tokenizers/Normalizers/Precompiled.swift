/// The character map of a SentencePiece model.
///
/// The map is a double-array trie in the layout of Darts-clone, from UTF-8 to places in a list of texts that each end
/// in a zero byte. Behaviour of huggingface/tokenizers 0.23: a grapheme cluster of at most five bytes is looked up as
/// a whole, and the *shortest* key it starts with decides; else each scalar is looked up by itself.
struct Precompiled: Normalizer {
  private let units: [UInt32]
  private let texts: [UInt8]
  /// For each ASCII character whether it stays as it is.
  private let keepsASCII: [Bool]

  /// - Parameter map: size of the trie in bytes (little-endian, 32 bits), the trie, the texts.
  init?(map: [UInt8]) {
    guard map.count >= 4 else { return nil }
    func word(_ start: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(map[start + $1]) << UInt32(8 * $1) }
    }
    let size = Int(word(0))
    guard size > 0, size % 4 == 0, 4 + size <= map.count else { return nil }
    let units = stride(from: 4, to: 4 + size, by: 4).map(word)
    let texts = Array(map[(4 + size)...])
    self.units = units
    self.texts = texts
    keepsASCII = (UInt8(0)..<0x80).map { Precompiled.replacement(for: [$0], units, texts) == nil }
  }

  func normalize(_ text: inout AlignedText) {
    let source = text.bytes
    if source.allSatisfy({ $0 < 0x80 && keepsASCII[Int($0)] }) { return }
    text.rewrite { result in
      var clusters = GraphemeClusters(source)
      var kept = 0
      while let cluster = clusters.next() {
        let first = source[cluster.lowerBound]
        if cluster.count == 1, first < 0x80, keepsASCII[Int(first)] { continue }
        if kept < cluster.lowerBound { result.keep(kept..<cluster.lowerBound) }
        kept = cluster.upperBound
        if cluster.count < 6, let new = replacement(for: source[cluster]) {
          result.put(new, for: cluster)
        } else {
          rewriteScalars(of: cluster, in: source, &result)
        }
      }
      result.keep(kept..<source.count)
    }
  }

  private func rewriteScalars(of cluster: Range<Int>, in source: [UInt8], _ result: inout AlignedText.Rewriter) {
    var position = cluster.lowerBound
    while position < cluster.upperBound {
      let start = position
      position += UTF8.width(startingWith: source[position])
      if let new = replacement(for: source[start..<position]) {
        result.put(new, for: start..<position)
      } else {
        result.keep(start..<position)
      }
    }
  }

  private func replacement(for key: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    Precompiled.replacement(for: key, units, texts)
  }

  /// The text of the shortest key that starts `key`.
  private static func replacement(
    for key: ArraySlice<UInt8>, _ units: [UInt32], _ texts: [UInt8]
  ) -> ArraySlice<UInt8>? {
    var unit = units[0]
    var node = Int(offset(of: unit))
    for byte in key {
      if byte == 0 { break }
      node ^= Int(byte)
      guard node < units.count else { return nil }
      unit = units[node]
      // The label of a real child is the byte itself.
      guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
      node ^= Int(offset(of: unit))
      guard node < units.count else { return nil }
      if unit & 0x100 != 0 {
        let start = Int(units[node] & 0x7FFF_FFFF)
        guard start <= texts.count else { return nil }
        return texts[start...].prefix { $0 != 0 }
      }
    }
    return nil
  }

  private static func offset(of unit: UInt32) -> UInt32 {
    (unit >> 10) << ((unit & 0x200) >> 6)
  }
}
