extension ByteLevel: Decoder {
  /// Reads visible characters as bytes again; a part with any other character stands as it is.
  func decode(_ parts: [String]) -> [String] {
    var bytes: [UInt8] = []
    for part in parts {
      let start = bytes.count
      for scalar in part.unicodeScalars {
        guard let byte = ByteCharacters.byte(of: scalar) else {
          bytes.replaceSubrange(start..., with: part.utf8)
          break
        }
        bytes.append(byte)
      }
    }
    return [String(decoding: bytes, as: UTF8.self)]
  }
}

/// Joins tokens of single bytes, such as `<0xE2>`, to characters.
struct ByteFallback: Decoder {
  func decode(_ parts: [String]) -> [String] {
    var result: [String] = []
    var bytes: [UInt8] = []
    func flush() {
      if bytes.isEmpty { return }
      if let text = String(validating: bytes, as: UTF8.self) {
        result.append(text)
      } else {
        result += repeatElement("\u{FFFD}", count: bytes.count)
      }
      bytes = []
    }
    for part in parts {
      if let byte = ByteFallback.byte(part) {
        bytes.append(byte)
      } else {
        flush()
        result.append(part)
      }
    }
    flush()
    return result
  }

  private static func byte(_ part: String) -> UInt8? {
    let utf8 = Array(part.utf8)
    guard utf8.count == 6, utf8.starts(with: "<0x".utf8), utf8[5] == UInt8(ascii: ">") else { return nil }
    return UInt8(String(decoding: utf8[3..<5], as: UTF8.self), radix: 16)
  }
}
