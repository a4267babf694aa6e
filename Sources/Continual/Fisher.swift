public import NN
public import Streams
public import Torch

/// How the diagonal of the Fisher information is estimated.
public enum FisherEstimator: String, Codable, Sendable, CaseIterable {
  /// Mean of the squared gradients of single examples, true labels: the definition that EWC's papers use.
  case perSample
  /// Mean of the squared gradients of whole batches (Avalanche, PyCIL): too small by about the batch size.
  case batch
  /// As `perSample`, with labels drawn from the model's own prediction: the true Fisher information.
  case sampled

  /// - Throws: `TrainingError.needsClasses` where labels must be drawn and the model has no classes.
  public func check(_ learner: Learner) throws {
    if self == .sampled, !(learner.model is any Classifies) {
      throw TrainingError.needsClasses("fisher: sampled", instead: "fisher: perSample")
    }
  }
}

extension Learner {
  /// Diagonal of F = E[(∂ log p(y|x) / ∂θ)²] at the present weights, over training examples of an experience.
  ///
  /// Runs in evaluation mode and in the compute dtype; squares are accumulated in float32.
  /// - Parameters:
  ///   - parameters: those that train now.
  ///   - experience: whose training examples are used.
  ///   - estimator: what is squared.
  ///   - examples: most examples to use, drawn at random where the experience has more.
  ///   - batchSize: examples behind one gradient of the `batch` estimator.
  /// - Returns: for each parameter a float32 tensor of its shape; zeros where no gradient arrives.
  /// - Throws: what `pause` throws, where the run is to stop.
  public func fisher(
    of parameters: [Parameter], on experience: Experience, estimator: FisherEstimator, examples: Int, batchSize: Int
  ) throws -> [Tensor] {
    let values = parameters.map(\.value)
    let sums = values.map { Tensor.zeros($0.shape, device: $0.device) }
    let batches = fisherBatches(experience, most: examples, rows: estimator == .batch ? batchSize : 1)
    var labels = generator.derived("fisher.labels.\(experience.index)")
    for batch in batches.map({ posed($0) }) {
      try pause()
      let output = model(announced(batch), .evaluation)
      let drawn = estimator == .sampled ? output.classes?.sampledLoss(&labels) : nil
      let loss = drawn ?? output.loss
      // Of the answers of a language model the loss is the mean over tokens, log p(y|x) their sum.
      let terms = estimator == .batch ? 1 : Double(batch.lossTerms)
      let gradients = loss.gradients(of: values)
      withoutGradient {
        for case (let sum, let gradient?) in zip(sums, gradients) {
          let exact = gradient.to(.float32)
          sum.add(exact, times: exact, scale: terms * terms / Double(batches.count))
        }
      }
    }
    return sums
  }

  private func fisherBatches(_ experience: Experience, most: Int, rows: Int) -> [Batch] {
    var chosen = data(of: experience).train
    if chosen.count > most {
      var random = generator.derived("fisher.examples.\(experience.index)")
      chosen = Array(chosen.permuted(using: &random).prefix(most))
    }
    return stride(from: 0, to: chosen.count, by: rows).map {
      Batch(Array(chosen[$0..<min($0 + rows, chosen.count)]))
    }
  }
}

extension ClassScores {
  /// Cross-entropy against one label a row, drawn from the predicted distribution.
  fileprivate func sampledLoss(_ generator: inout Generator) -> Tensor {
    let probabilities = values.detached().softmax(1).values()
    let labels = (0..<values.size(0)).map { row -> Int64 in
      let distribution = probabilities[row * columns.count..<(row + 1) * columns.count]
      var left = Float(generator.uniform())
      let drawn = distribution.firstIndex { probability in
        left -= probability
        return left < 0
      }
      // Rounding may leave a sliver above the last cumulated probability; it belongs to the likeliest class.
      let index = drawn ?? distribution.indices.max { distribution[$0] < distribution[$1] }
      return Int64((index ?? distribution.startIndex) - distribution.startIndex)
    }
    return values.crossEntropy(Tensor(labels, device: values.device))
  }
}

extension Generator {
  /// A number uniform in 0..<1.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// An index uniform in `0..<bound`.
  mutating func index(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
