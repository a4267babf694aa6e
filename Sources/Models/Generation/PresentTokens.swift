import Torch

/// Which tokens stand in each row so far, for the repetition penalty.
struct PresentTokens {
  /// bool `[rows, vocabulary]`.
  private(set) var isPresent: Tensor

  init(_ rows: [[Int32]], vocabulary: Int, device: Device) {
    isPresent = .full([rows.count, vocabulary], 0, dtype: .bool, device: device)
    mark(rows.enumerated().flatMap { row, tokens in tokens.map { Int64(row * vocabulary) + Int64($0) } })
  }

  /// Adds one token to each row.
  func add(_ tokens: [Int32]) {
    let vocabulary = isPresent.size(1)
    mark(tokens.enumerated().map { Int64($0 * vocabulary) + Int64($1) })
  }

  mutating func select(rows: Tensor) { isPresent = isPresent.gathered(0, rows) }

  /// Marks places of the rows laid out as one.
  private func mark(_ places: [Int64]) {
    isPresent.reshaped(-1).fill(1, at: Tensor(places, device: isPresent.device), dimension: 0)
  }
}
