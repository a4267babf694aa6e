import NN

/// Decides when packing the weights pays: it costs as much as a few steps, and short answers end before that.
struct DecodingPace {
  private static let stepsBefore = 6
  private var steps = 0
  private var mode = Mode.evaluation

  /// How the next step runs.
  mutating func next(rows: Int) -> Mode {
    steps += 1
    if steps == Self.stepsBefore { mode = .decoding(PackedWeights(rows: rows)) }
    return mode
  }
}
