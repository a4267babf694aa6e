/// Turns the texts of tokens into text.
protocol Decoder: Sendable {
  /// Changes, joins or cuts the parts; joined without anything between them, the last decoder's are the text.
  func decode(_ parts: [String]) -> [String]
}

/// Decoders one after the other.
struct DecoderSequence: Decoder {
  let steps: [any Decoder]

  func decode(_ parts: [String]) -> [String] {
    steps.reduce(parts) { $1.decode($0) }
  }
}

/// Joins all parts.
struct Fuse: Decoder {
  func decode(_ parts: [String]) -> [String] { [parts.joined()] }
}

extension Replace: Decoder {
  func decode(_ parts: [String]) -> [String] {
    parts.map { part in
      let bytes = Array(part.utf8)
      let matches = pattern.matches(in: bytes, bytes.indices)
      if matches.allSatisfy({ !$0.isMatch }) { return part }
      return String(decoding: matches.flatMap { $0.isMatch ? content : Array(bytes[$0.range]) }, as: UTF8.self)
    }
  }
}

/// Takes up to so many characters off the ends of each part.
struct StripDecoder: Decoder {
  let content: Unicode.Scalar
  let start: Int
  let stop: Int

  func decode(_ parts: [String]) -> [String] {
    parts.map { part in
      var scalars = part.unicodeScalars[...]
      for _ in 0..<start where scalars.first == content { scalars.removeFirst() }
      for _ in 0..<stop where scalars.last == content { scalars.removeLast() }
      return String(scalars)
    }
  }
}
