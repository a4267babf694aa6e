import NN
import Torch

/// How each step of a decoding runs: which rows it holds, and from when on weights are packed, which costs what two steps
/// do. Where answers are short, most end before that pays.
struct DecodingPace {
  private static let shortAnswer = 16
  private let stepsBefore: Int
  private var steps = 0
  private var mode = Mode.evaluation
  private var rows: Tensor?

  /// - Parameter room: how many tokens an answer may have.
  init(room: Int) { stepsBefore = room > Self.shortAnswer ? 0 : 2 }

  /// How the next step runs.
  mutating func next() -> Mode {
    if steps == stepsBefore { mode = .decoding(PackedWeights()) }
    steps += 1
    mode.rows = self.rows
    return mode
  }

  /// Takes these rows (int64 `[n]`, of the present ones) in place of the present ones.
  mutating func select(rows chosen: Tensor) { rows = rows?.gathered(0, chosen) ?? chosen }
}
