import Evaluation
public import NN
public import Streams
public import Torch

/// What watches a run: it logs, draws progress, and writes checkpoints. It never changes the training.
public protocol TrainingObserver: AnyObject {
  func willTrain(_ experience: Experience, updates: Int, from step: Int)
  /// Values of one update; reading them waits for the device.
  func didCompute(_ report: StepReport)
  /// The state is consistent: a checkpoint may be written (after `Trainer.settle`), or the run interrupted by throwing.
  func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws
  /// Training of an experience is over, `didEnd` of the methods included.
  func willEvaluate(_ experience: Experience)
  func didEvaluate(_ experience: Experience, _ progress: TrainingProgress)
  /// An experience is complete, its row in the matrices.
  func didEnd(_ trainer: Trainer) throws
  /// Training is about to stop with an error; the weights are those before the failed update. A checkpoint may be written
  /// unless that was the first update of an experience (`progress.step` 0): resuming begins the experience, which has begun.
  func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws
  /// A method trains something of its own between two updates: the run may be interrupted by throwing, but the state
  /// cannot be saved.
  func willGoOn() throws
}

extension TrainingObserver {
  public func willGoOn() throws {}
}

/// Watches nothing.
public final class SilentObserver: TrainingObserver {
  public init() {}
  public func willTrain(_ experience: Experience, updates: Int, from step: Int) {}
  public func didCompute(_ report: StepReport) {}
  public func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
  public func willEvaluate(_ experience: Experience) {}
  public func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {}
  public func didEnd(_ trainer: Trainer) throws {}
  public func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
}

/// What one update computed.
public struct StepReport {
  public let step: Step
  /// Scalar: loss with penalties.
  public let loss: Tensor
  /// Scalar: norm of the gradient after the methods and before clipping.
  public let gradientNorm: Tensor
  public let learningRate: Double
  /// Real tokens.
  public let tokens: Int
  /// Passes over the data so far.
  public let epoch: Double
}
