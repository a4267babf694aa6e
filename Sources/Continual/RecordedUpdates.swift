import NN
import Torch

/// Updates of an experience that a device has recorded, one for each form of batch (CUDA graphs).
///
/// The first update of a form runs as ever, which makes all that is made only once; the second is recorded and replayed, and
/// so are all others. Weights, moments and a method's tensors are moved where they stand; the batch and the rate are copied
/// to where the recording reads them.
final class RecordedUpdates {
  /// What an update leaves: its loss, and the norm of its gradients before clipping, scalars on the device.
  typealias Outcome = (loss: Tensor, norm: Tensor)

  private struct Known {
    let inputs: DeviceBatch, rate: Tensor
    let recording: Recording
    let outcome: Outcome
  }

  /// More forms than this are run as ever: each holds memory.
  private let most: Int
  private let device: Device
  private var known: [DeviceBatch.Form: Known] = [:]
  private var seen: Set<DeviceBatch.Form> = []
  /// Updates that were replayed.
  private(set) var replays = 0

  /// - Throws: `TrainingError.cannotRecord` where one update cannot stand for another.
  init(
    for learner: Learner, _ methods: [any ContinualMethod], _ settings: TrainingSettings, most: Int
  ) throws(TrainingError) {
    (device, self.most) = (learner.device, most)
    let obstacle: String? =
      if !Recording.isSupported(on: device) {
        "the device \(device) records nothing; a GPU does, in a build with CUDA's headers (JAY_TORCH=… make build)"
      } else if learner.processes != nil {
        "several processes train"
      } else if let method = methods.first(where: { !$0.isRecordable }) {
        "the updates of '\(type(of: method).card.name)' differ from one another"
      } else if !settings.makeOptimizer().isRecordable {
        "the optimizer \(settings.optimizer.rawValue) counts its updates in the program"
      } else {
        settings.accumulation > 1 ? "an update takes several forward passes" : nil
      }
    if let obstacle { throw .cannotRecord(obstacle) }
  }

  /// One update.
  /// - Parameters:
  ///   - batch: on the device, in whatever memory.
  ///   - rate: of this update.
  ///   - generator: what the device draws from.
  ///   - optimizer: the one that `body` moves weights with.
  ///   - body: the update: it reads the batch and the rate that it is given.
  func callAsFunction(
    _ batch: DeviceBatch, rate: Double, drawing generator: Generator, _ optimizer: any Optimizer,
    _ body: (DeviceBatch, Rate) throws -> Outcome
  ) throws -> Outcome {
    let form = batch.form, current = Tensor([Float(rate)], shape: [], device: device)
    var generator = generator
    return try generator.drawing {
      // Rows that choose among different classes come with new masks from the program.
      guard seen.contains(form), Set(batch.candidates).count < 2 else {
        if seen.count < most { seen.insert(form) }
        return try body(batch, Rate(rate, onDevice: current))
      }
      guard let old = known[form] else {
        let made = try record(batch, rate: rate, current, body)
        known[form] = made
        return replayed(made)
      }
      old.inputs.copy(from: batch)
      old.rate.copy(from: current)
      optimizer.didReplay()
      return replayed(old)
    }
  }

  /// `current` is the rate on the device, where the recording reads it from now on.
  private func record(
    _ batch: DeviceBatch, rate: Double, _ current: Tensor, _ body: (DeviceBatch, Rate) throws -> Outcome
  ) throws -> Known {
    let inputs = batch.cloned()
    var outcome: Outcome?
    let recording = try Recording(on: device, sharing: known.values.first?.recording) {
      outcome = try body(inputs, Rate(rate, onDevice: current))
    }
    guard let outcome else { preconditionFailure("RecordedUpdates: the update left nothing") }
    return Known(inputs: inputs, rate: current, recording: recording, outcome: outcome)
  }

  /// The next replay writes over the outcome.
  private func replayed(_ known: Known) -> Outcome {
    known.recording.replay()
    replays += 1
    return (known.outcome.loss.clone(), known.outcome.norm.clone())
  }
}
