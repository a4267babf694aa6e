/// Cuts by a pattern, as a rule GPT-2's, and writes each byte as a visible character.
struct ByteLevel: PreTokenizer {
  let addsPrefixSpace: Bool
  let pattern: (any Scanner)?

  func split(_ text: inout PreTokenizedText) {
    if addsPrefixSpace { addPrefixSpaces(to: &text) }
    if let pattern { Split(pattern: .scanner(pattern), behavior: .isolated, inverts: false).split(&text) }
    let source = text.text.bytes
    let characters = ByteCharacters.utf8
    text.rewritePieces { result, piece in
      for position in piece {
        let byte = source[position]
        let character = characters[Int(byte)]
        if character.second == 0 {
          result.put(character.first, for: position)
        } else {
          result.put(character.first, for: position)
          result.put(character.second, for: position)
        }
      }
    }
  }

  private func addPrefixSpaces(to text: inout PreTokenizedText) {
    let source = text.text.bytes
    guard text.pieces.contains(where: { source[$0.lowerBound] != 0x20 }) else { return }
    text.rewritePieces { result, piece in
      let first = source[piece.lowerBound]
      if first != 0x20 {
        result.put([0x20], for: piece.lowerBound..<(piece.lowerBound + UTF8.width(startingWith: first)))
      }
      result.keep(piece)
    }
  }
}

/// The visible character that stands for each byte, and back.
///
/// Visible bytes of Latin-1 stand for themselves, the others for U+0100 and on, in order.
enum ByteCharacters {
  /// For each byte one or two bytes of UTF-8; the second is 0 where there is none.
  static let utf8: [(first: UInt8, second: UInt8)] = scalars.map { scalar in
    let bytes = Array(String(scalar).utf8)
    return (bytes[0], bytes.count > 1 ? bytes[1] : 0)
  }

  /// The byte a character stands for.
  static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    scalar.value < UInt32(bytes.count) ? bytes[Int(scalar.value)] : nil
  }

  /// The character of each byte.
  static let scalars: [Unicode.Scalar] = {
    var hidden: UInt32 = 0x100
    return (UInt8(0)...0xFF).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        defer { hidden += 1 }
        return Unicode.Scalar(hidden) ?? " "
      }
    }
  }()

  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x200)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
    return bytes
  }()
}
