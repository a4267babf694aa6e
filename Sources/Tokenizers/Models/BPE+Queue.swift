extension BPE {
  /// A binary heap of merges to do: the lowest rank first, of one rank the leftmost.
  struct Queue {
    /// Rank in the upper half, index in the lower.
    private var entries: [UInt64] = []

    mutating func push(rank: UInt32, index: Int) {
      let entry = UInt64(rank) << 32 | UInt64(UInt32(index))
      var place = entries.count
      entries.append(entry)
      while place > 0 {
        let parent = (place - 1) / 2
        guard entry < entries[parent] else { break }
        entries[place] = entries[parent]
        place = parent
      }
      entries[place] = entry
    }

    mutating func pop() -> (rank: UInt32, index: Int)? {
      guard let first = entries.first, let last = entries.popLast() else { return nil }
      if !entries.isEmpty { sink(last) }
      return (UInt32(first >> 32), Int(first & 0xFFFF_FFFF))
    }

    /// Puts an entry at the root and moves it down to its place.
    private mutating func sink(_ entry: UInt64) {
      var place = 0
      while true {
        var child = 2 * place + 1
        guard child < entries.count else { break }
        if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
        guard entries[child] < entry else { break }
        entries[place] = entries[child]
        place = child
      }
      entries[place] = entry
    }
  }
}
