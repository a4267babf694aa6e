public import Torch

/// One batch on the device.
public struct DeviceBatch {
  /// int64 `[rows, length]`, padded on the right.
  public let tokens: Tensor
  /// int64 `[rows, length]`: 0 for the first text, 1 for its pair.
  public let segments: Tensor
  /// 1 for a token, 0 for padding, `[rows, length]` float32; nil where nothing is padded.
  public let mask: Tensor?
  /// Real tokens in each row.
  public let lengths: [Int]
  /// Global class of each row.
  public let targets: [Int]
  /// Experience that each row comes from.
  public let experiences: [Int]
  /// For each row, which of `candidateSets` its prediction is taken from.
  public let candidates: [Int]
  /// Sets of global classes.
  public let candidateSets: [[Int]]

  public init(
    tokens: Tensor, segments: Tensor, mask: Tensor?, lengths: [Int], targets: [Int], experiences: [Int],
    candidates: [Int], candidateSets: [[Int]]
  ) {
    (self.tokens, self.segments, self.mask, self.lengths) = (tokens, segments, mask, lengths)
    (self.targets, self.experiences) = (targets, experiences)
    (self.candidates, self.candidateSets) = (candidates, candidateSets)
  }

  public var rows: Int { tokens.size(0) }
  public var device: Device { tokens.device }
}

/// What one forward pass gives.
public struct ModelOutput {
  /// `[rows, width]`: the pooled representation.
  public let features: Tensor
  /// `[rows, columns]` float32; columns outside a row's candidates are −inf.
  public let logits: Tensor
  /// The global class of each column.
  public let columns: [Int]
  /// Mean cross-entropy over the rows, float32.
  public let loss: Tensor

  public init(features: Tensor, logits: Tensor, columns: [Int], loss: Tensor) {
    (self.features, self.logits, self.columns, self.loss) = (features, logits, columns, loss)
  }

  /// The most likely class of each row. Waits for the device.
  public func predictions() -> [Int] { logits.argmax(1).scalars(Int64.self).map { columns[Int($0)] } }
}

/// A backbone with its heads: what a learner trains.
public protocol TaskModel: AnyObject {
  var parameters: ParameterStore { get }
  var heads: HeadBank { get }
  /// Longest sequence the backbone takes, in tokens.
  var maxLength: Int { get }
  /// `[rows, width]` representation, before the heads.
  func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor
}

extension TaskModel {
  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    heads(features(batch, mode), batch, mode)
  }
}
