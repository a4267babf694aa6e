import Torch

/// Placements of what is written behind texts that were read, padded on the right.
///
/// All is laid out at the start, so that a step slices only.
struct WrittenPlaces {
  private let read: Int
  private var written = 0
  /// int64 `[rows or 1, capacity]`: positions of the texts' tokens and of those behind them; 0 for padding.
  private var places: Tensor
  /// bool `[rows or 1, capacity]`: false for padding; nil where there is none.
  private var isToken: Tensor?

  /// - Parameters:
  ///   - lengths: tokens of each text.
  ///   - room: most tokens that will be written.
  ///   - device: where the tokens are.
  init(lengths: [Int], room: Int, device: Device) {
    let read = lengths.max() ?? 0, capacity = read + room
    let isPadded = lengths.contains { $0 != read }
    let rows = isPadded ? lengths : [read]
    let laidOut = rows.flatMap { length in
      (0..<capacity).map { Int64($0 < length ? $0 : $0 < read ? 0 : length + $0 - read) }
    }
    self.read = read
    places = Tensor(laidOut, shape: [rows.count, capacity], device: device)
    if isPadded {
      let real = rows.flatMap { length in (0..<capacity).map { $0 < length || $0 >= read } }
      isToken = Tensor(real, shape: [rows.count, capacity], device: device)
    }
  }

  /// The next token of each row.
  mutating func next() -> Placement {
    written += 1
    let total = read + written
    return Placement(
      queries: places.narrowed(1, total - 1..<total), keys: places.narrowed(1, 0..<total),
      isSeen: isToken?.narrowed(1, 0..<total).unsqueezed(1))
  }

  /// The fed tokens of a tree, behind what is written so far.
  func placement(of tree: AnswerTree) -> Placement {
    let total = read + written, new = tree.fed.count
    let device = places.device, depths = Tensor(tree.fed.map { Int64($0.depth) }, device: device).unsqueezed(0)
    let queries = places.narrowed(1, total..<total + 1) + depths
    let before = places.narrowed(1, 0..<total)
    let isSeen = isToken?.narrowed(1, 0..<total) ?? Tensor.full([1, total], 1, dtype: .bool, device: device)
    let branches = Tensor(tree.isSeen.flatMap(\.self), shape: [1, new, new], device: device)
    let rows = queries.size(0)
    return Placement(
      queries: queries, keys: .concatenated([before, queries], 1),
      isSeen: .concatenated(
        [isSeen.unsqueezed(1).expanded([rows, new, total]), branches.expanded([rows, new, new])], 2))
  }

  /// Takes these rows (int64 `[n]`) in place of the present ones.
  mutating func select(rows: Tensor) {
    guard isToken != nil else { return }
    places = places.gathered(0, rows)
    isToken = isToken?.gathered(0, rows)
  }
}
