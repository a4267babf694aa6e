/// Finds the name that somebody probably meant.
public enum Nearest {
  /// The candidate closest to `name`, or `nil` when none is close; the earlier one wins a tie.
  ///
  /// Case, `_` and `-` do not count, so `learning_rate` finds `learningRate`. Up to a third of the
  /// letters may be wrong, and one letter always may.
  public static func name(to name: String, among candidates: [String]) -> String? {
    let wanted = letters(of: name)
    let limit = max(1, (wanted.count + 1) / 3)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(wanted, letters(of: candidate))
      // With every letter wrong, nothing is left of the name.
      guard distance <= limit, distance < max(wanted.count, 1) else { continue }
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate
  }

  private static func letters(of name: String) -> [Character] {
    Array(name.lowercased().filter { $0 != "_" && $0 != "-" })
  }

  /// Damerau–Levenshtein distance (optimal string alignment): insertions, deletions, replacements and swaps
  /// of neighbors.
  static func distance(_ first: [Character], _ second: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...second.count)
    for row in 1..<(first.count + 1) {
      var current = [row]
      for column in 1..<(second.count + 1) {
        let isSame = first[row - 1] == second[column - 1]
        var cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
        if row > 1, column > 1, first[row - 1] == second[column - 2], first[row - 2] == second[column - 1] {
          cost = min(cost, beforeLast[column - 2] + 1)
        }
        current.append(cost)
      }
      (beforeLast, last) = (last, current)
    }
    return last[second.count]
  }
}
