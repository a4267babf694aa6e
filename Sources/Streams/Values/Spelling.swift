/// The candidate that differs from `word` in the fewest letters, if it is near enough to be meant.
func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
  let scored = candidates.map { (name: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
  guard let best = scored.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
  return best.distance <= max(2, word.count / 3) ? best.name : nil
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbors.
private func editDistance(_ first: String, _ second: String) -> Int {
  let a = Array(first), b = Array(second)
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  var before: [Int] = []
  var row = Array(0...b.count)
  for i in 1...a.count {
    var next = [i]
    for j in 1...b.count {
      var best = min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, before[j - 2] + 1) }
      next.append(best)
    }
    before = row
    row = next
  }
  return row[b.count]
}

/// The names in quotes, at most twelve of them.
func quotedList(_ names: [String]) -> String {
  let shown = names.prefix(12).map { "\"\($0)\"" }.joined(separator: ", ")
  return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
}
