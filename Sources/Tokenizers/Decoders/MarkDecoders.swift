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

/// Reads the mark at the end of words as a blank, and takes white space off the ends of the text.
///
/// What transformers 5.23 puts around the decoder of CLIP's file (`CLIPTokenizer`).
struct WordEnds: Decoder {
  let suffix: [UInt8]

  func decode(_ parts: [String]) -> [String] {
    let texts = Replace(pattern: .literal(suffix), content: [0x20]).decode([parts.joined()])
    return texts.map { text in
      var scalars = text.unicodeScalars[...]
      while let first = scalars.first, WordEnds.isStripped(first) { scalars.removeFirst() }
      while let last = scalars.last, WordEnds.isStripped(last) { scalars.removeLast() }
      return String(scalars)
    }
  }

  /// Python's `str.strip` takes four separators for white space, too.
  private static func isStripped(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isBlank || (0x1C...0x1F).contains(scalar.value)
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
