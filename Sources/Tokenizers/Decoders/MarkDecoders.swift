extension Metaspace: Decoder {
  /// Reads marks as blanks again; those of the first part are dropped where one was put before the text.
  func decode(_ parts: [String]) -> [String] {
    parts.enumerated().map { index, part in
      var text = String.UnicodeScalarView()
      for scalar in part.unicodeScalars {
        if scalar != replacement {
          text.append(scalar)
        } else if index > 0 || prependScheme == .never {
          text.append(" ")
        }
      }
      return String(text)
    }
  }
}

/// Reads the mark at the end of words as a blank.
struct BPEDecoder: Decoder {
  let suffix: [UInt8]

  func decode(_ parts: [String]) -> [String] {
    parts.enumerated().map { index, part in
      let blank: [UInt8] = index == parts.count - 1 ? [] : [0x20]
      return Replace(pattern: .literal(suffix), content: blank).decode([part])[0]
    }
  }
}
