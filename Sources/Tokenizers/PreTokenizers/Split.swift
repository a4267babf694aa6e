/// Cuts at the matches of a pattern.
struct Split: PreTokenizer {
  let pattern: Pattern
  let behavior: SplitBehavior
  /// Takes what lies between matches for matches, and the other way round.
  let inverts: Bool

  func split(_ text: inout PreTokenizedText) {
    text.split { text, piece, parts in
      var matches = pattern.matches(in: text, piece)
      if inverts { for index in matches.indices { matches[index].isMatch.toggle() } }
      behavior.append(matches, to: &parts)
    }
  }
}

/// Cuts at each scalar of a kind.
struct ScalarSplit: PreTokenizer {
  let behavior: SplitBehavior
  let isMatch: @Sendable (Unicode.Scalar) -> Bool

  /// At white space, which is dropped.
  static let whitespace = ScalarSplit(behavior: .removed) { $0.isBlank }

  /// Around punctuation.
  static func punctuation(_ behavior: SplitBehavior) -> ScalarSplit {
    ScalarSplit(behavior: behavior) { ScalarClass.of($0).contains(.punctuation) }
  }

  /// Around digits, each by itself or as a run.
  static func digits(individually: Bool) -> ScalarSplit {
    ScalarSplit(behavior: individually ? .isolated : .contiguous) { $0.isNumeric }
  }

  func split(_ text: inout PreTokenizedText) {
    text.split { text, piece, parts in
      var matches: [Match] = []
      var position = piece.lowerBound
      var done = position
      while position < piece.upperBound {
        let start = position
        guard isMatch(text.scalar(at: &position)) else { continue }
        if done < start { matches.append(Match(range: done..<start, isMatch: false)) }
        matches.append(Match(range: start..<position, isMatch: true))
        done = position
      }
      if done < position { matches.append(Match(range: done..<position, isMatch: false)) }
      behavior.append(matches, to: &parts)
    }
  }
}

/// Cuts into runs of word characters and runs of marks: `\w+|[^\w\s]+`.
struct Whitespace: PreTokenizer {
  private enum Kind { case word, mark, space }

  func split(_ text: inout PreTokenizedText) {
    text.split { text, piece, parts in
      var position = piece.lowerBound
      var start = position
      var last = Kind.space
      while position < piece.upperBound {
        let here = position
        let scalar = text.scalar(at: &position)
        let kind: Kind = scalar.isWordCharacter ? .word : scalar.isBlank ? .space : .mark
        if kind == last { continue }
        if last != .space { parts.append(start..<here) }
        start = here
        last = kind
      }
      if last != .space { parts.append(start..<position) }
    }
  }
}
