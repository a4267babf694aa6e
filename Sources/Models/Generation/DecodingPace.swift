import NN
import Torch

/// How each step of a decoding runs: which rows it holds, and when packing the weights pays, which costs as much as a few
/// steps; short answers end before that.
struct DecodingPace {
  private static let stepsBefore = 3
  private var steps = 0
  private var mode = Mode.evaluation
  private var rows: Tensor?

  /// How the next step runs.
  mutating func next() -> Mode {
    steps += 1
    if steps == Self.stepsBefore { mode = .decoding(PackedWeights()) }
    mode.rows = self.rows
    return mode
  }

  /// Takes these rows (int64 `[n]`, of the present ones) in place of the present ones.
  mutating func select(rows chosen: Tensor) { rows = rows?.gathered(0, chosen) ?? chosen }
}
