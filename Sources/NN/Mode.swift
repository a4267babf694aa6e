public import Torch

/// How a forward pass runs: training carries the generator that dropout draws from.
public final class Mode {
  public let isTraining: Bool
  public var generator: Generator
  /// int64 `[rows]`: which row of the batch each row of this pass goes on with; nil where they are the same. Rows that are
  /// finished leave a decoding, and beams repeat theirs.
  public var rows: Tensor?
  /// Whether layers run over padding everywhere, for those who count it.
  public var keepsPadding: Bool
  /// Whether taps record: not in the passes that a method makes beside the trainer's.
  let isTapped: Bool
  /// int64 `[tokens]`: which row of the batch each token belongs to, where layers run over the tokens of all rows behind
  /// one another, `[1, tokens, width]`; else nil.
  public var rowsOfTokens: Tensor?
  /// float32 `[rows, length]`, 1 for a token: the places that taps count, where layers run over padding that nobody wants
  /// counted; nil for all places.
  public private(set) var counted: Tensor?
  /// Weights that linear layers read in place of their own.
  let packed: PackedWeights?

  private init(
    isTraining: Bool, generator: Generator, packed: PackedWeights? = nil, keepsPadding: Bool = false,
    isTapped: Bool = false
  ) {
    (self.isTraining, self.keepsPadding, self.isTapped) = (isTraining, keepsPadding, isTapped)
    self.generator = generator
    self.packed = packed
  }

  /// Dropout off, taps silent.
  public static var evaluation: Mode { Mode(isTraining: false, generator: Generator(seed: 0)) }

  /// As in evaluation, for steps of decoding, with weights packed for them.
  public static func decoding(_ packed: PackedWeights) -> Mode {
    Mode(isTraining: false, generator: Generator(seed: 0), packed: packed)
  }

  /// Dropout on, drawing from `generator`; read it back after the pass. `isTapped` is false for a pass that a method makes
  /// beside the trainer's.
  public static func training(_ generator: Generator, keepsPadding: Bool = false, isTapped: Bool = true) -> Mode {
    Mode(isTraining: true, generator: generator, keepsPadding: keepsPadding, isTapped: isTapped)
  }

  /// Runs layers over padding: where `mask`, float32 `[rows, length]`, is 0.
  public func overPadding<Result>(_ mask: @autoclosure () -> Tensor?, _ body: () -> Result) -> Result {
    counted = isTraining && !keepsPadding ? mask() : nil
    defer { counted = nil }
    return body()
  }

  /// `x` with dropout in training, `x` itself otherwise.
  public func dropout(_ x: Tensor, _ probability: Double) -> Tensor {
    isTraining ? x.dropout(probability, &generator) : x
  }
}
