/// Which pairs of tokens merge, in what order, and into what.
struct MergeTable: Sendable {
  struct Merge: Equatable {
    /// The lower, the earlier.
    var rank: UInt32
    /// The token that comes of it.
    var id: Int32
  }

  /// Open addressing: left and right id of each pair, and under the same index its merge.
  private var pairs: [UInt64]
  private var merges: [Merge]
  private let shift: UInt64

  private static let free = UInt64.max

  init(capacity: Int) {
    let bits = max(4, UInt64.bitWidth - (capacity * 2).leadingZeroBitCount)
    pairs = Array(repeating: MergeTable.free, count: 1 << bits)
    merges = Array(repeating: Merge(rank: 0, id: 0), count: 1 << bits)
    shift = UInt64(64 - bits)
  }

  /// The merge of two ids that stand side by side.
  subscript(left: Int32, right: Int32) -> Merge? {
    let pair = MergeTable.pair(left, right)
    var place = place(of: pair)
    while pairs[place] != pair {
      if pairs[place] == MergeTable.free { return nil }
      place = (place + 1) & (pairs.count - 1)
    }
    return merges[place]
  }

  /// The tokens that come of merges.
  var ids: [Int32] { zip(pairs, merges).filter { $0.0 != MergeTable.free }.map(\.1.id) }

  /// Adds a merge; the last of one pair wins.
  mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
    let pair = MergeTable.pair(left, right)
    var place = place(of: pair)
    while pairs[place] != MergeTable.free, pairs[place] != pair { place = (place + 1) & (pairs.count - 1) }
    pairs[place] = pair
    merges[place] = merge
  }

  private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private func place(of pair: UInt64) -> Int {
    Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) &>> shift)
  }
}
