/// Takes white space off the ends.
struct Strip: Normalizer {
  let left: Bool
  let right: Bool

  func normalize(_ text: inout AlignedText) {
    var kept = text.bytes.indices
    while right, !kept.isEmpty {
      let last = text.bytes.scalar(before: kept.upperBound)
      guard last.isBlank else { break }
      kept = kept.lowerBound..<(kept.upperBound - UTF8.width(last))
    }
    while left, !kept.isEmpty {
      var next = kept.lowerBound
      guard text.bytes.scalar(at: &next).isBlank else { break }
      kept = next..<kept.upperBound
    }
    text.keepOnly(kept)
  }
}

/// Puts something before a text that is not empty.
struct Prepend: Normalizer {
  let content: [UInt8]

  func normalize(_ text: inout AlignedText) {
    guard let first = text.bytes.first else { return }
    let count = text.bytes.count
    text.rewrite { result in
      // What is put in counts as part of the first character.
      result.put(content, for: 0..<UTF8.width(startingWith: first))
      result.keep(0..<count)
    }
  }
}

/// Puts one text in the place of each match of a pattern.
struct Replace: Normalizer {
  let pattern: Pattern
  let content: [UInt8]

  func normalize(_ text: inout AlignedText) {
    let matches = pattern.matches(in: text.bytes, text.bytes.indices)
    if matches.allSatisfy({ !$0.isMatch }) { return }
    text.rewrite { result in
      for match in matches {
        if match.isMatch {
          if !content.isEmpty { result.put(content, for: match.range) }
        } else {
          result.keep(match.range)
        }
      }
    }
  }
}
