extension BPE {
  /// A binary heap of merges to do: the lowest rank first, of one rank the leftmost.
  struct Queue {
    struct Entry {
      /// Rank in the upper half, index of the left symbol in the lower.
      fileprivate var order: UInt64
      /// The token that comes of the merge.
      var id: Int32
      private var endByte: UInt32

      init(rank: UInt32, index: Int, id: Int32, end: Int) {
        order = UInt64(rank) << 32 | UInt64(UInt32(index))
        self.id = id
        endByte = UInt32(end)
      }

      var index: Int { Int(order & 0xFFFF_FFFF) }
      /// Where the right symbol ends.
      var end: Int { Int(endByte) }
    }

    private var entries: [Entry] = []

    mutating func push(_ entry: Entry) {
      var place = entries.count
      entries.append(entry)
      while place > 0 {
        let parent = (place - 1) / 2
        guard entry.order < entries[parent].order else { break }
        entries[place] = entries[parent]
        place = parent
      }
      entries[place] = entry
    }

    mutating func pop() -> Entry? {
      guard let first = entries.first, let last = entries.popLast() else { return nil }
      if !entries.isEmpty { sink(last) }
      return first
    }

    /// Puts an entry at the root and moves it down to its place.
    private mutating func sink(_ entry: Entry) {
      var place = 0
      while true {
        var child = 2 * place + 1
        guard child < entries.count else { break }
        if child + 1 < entries.count, entries[child + 1].order < entries[child].order { child += 1 }
        guard entries[child].order < entry.order else { break }
        entries[place] = entries[child]
        place = child
      }
      entries[place] = entry
    }
  }
}
