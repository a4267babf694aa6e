/// What a splitter or a replacement looks for.
enum Pattern: Sendable {
  /// Text as it stands; an empty one is found nowhere.
  case literal([UInt8])
  /// A regular expression there is a scanner for.
  case scanner(any Scanner)

  /// Cuts `text[range]` into matches and what lies between them, none empty.
  func matches(in text: [UInt8], _ range: Range<Int>) -> [Match] {
    var matches: [Match] = []
    matches.reserveCapacity(range.count / 4 + 1)
    var done = range.lowerBound
    var position = range.lowerBound
    while position < range.upperBound {
      guard let match = nextMatch(in: text, position..<range.upperBound), !match.isEmpty else { break }
      if done < match.lowerBound { matches.append(Match(range: done..<match.lowerBound, isMatch: false)) }
      matches.append(Match(range: match, isMatch: true))
      done = match.upperBound
      position = done
    }
    if done < range.upperBound { matches.append(Match(range: done..<range.upperBound, isMatch: false)) }
    return matches
  }

  private func nextMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    switch self {
    case .scanner(let scanner): return scanner.firstMatch(in: text, range)
    case .literal(let content):
      guard let first = content.first, range.count >= content.count else { return nil }
      for start in range.lowerBound...(range.upperBound - content.count)
      where text[start] == first && text[start..<(start + content.count)].elementsEqual(content) {
        return start..<(start + content.count)
      }
      return nil
    }
  }
}

/// A part of a text: what a pattern matches, or what lies between two matches.
struct Match: Equatable {
  var range: Range<Int>
  var isMatch: Bool
}

/// Finds what one regular expression finds.
protocol Scanner: Sendable {
  /// The first match that is not empty in `text[range]`; nothing outside is looked at.
  func firstMatch(in text: [UInt8], _ range: Range<Int>) -> Range<Int>?
}

/// What becomes of the matches when text is cut.
enum SplitBehavior: String, CaseIterable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// Appends the pieces that come of the matches.
  func append(_ matches: [Match], to parts: inout [Range<Int>]) {
    switch self {
    case .isolated: for match in matches { parts.append(match.range) }
    case .removed: for match in matches where !match.isMatch { parts.append(match.range) }
    case .contiguous: append(matches, to: &parts) { $0.isMatch == $1.isMatch }
    case .mergedWithPrevious: append(matches, to: &parts) { !$0.isMatch && $1.isMatch }
    case .mergedWithNext: append(matches, to: &parts) { $0.isMatch && !$1.isMatch }
    }
  }

  /// Joins neighbours where `joins` says so.
  private func append(_ matches: [Match], to parts: inout [Range<Int>], _ joins: (Match, Match) -> Bool) {
    for (index, match) in matches.enumerated() {
      if index > 0, joins(matches[index - 1], match) {
        parts[parts.count - 1] = parts[parts.count - 1].lowerBound..<match.range.upperBound
      } else {
        parts.append(match.range)
      }
    }
  }
}
