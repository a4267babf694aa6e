public import Continual
import Evaluation
public import Foundation
public import NN
public import Streams
public import Torch

/// Continual pre-training with soft masks: the more a unit matters to what was learned before, the less its weights move.
///
/// Units are attention heads, inner and outer neurons of each layer, each with a gate g = 1. Importance of a unit on some
/// texts is the gradient of a loss to its gate, summed and divided by the tokens, then within each layer
/// I = |tanh((∂g − mean) / deviation)|. Before the first domain the loss is the divergence of two passes with different
/// dropout, which tells what the model knows in general; after each domain it is the training loss. The largest importance
/// so far counts. Gradients are multiplied by 1 − I; the forward pass never is. A contrastive term pulls two passes over a
/// text together and away from those in which the gates are I: −log exp(cos(h1, h2)/τ) / Σ_j [exp(cos(h1, h2_j)/τ) +
/// exp(cos(h1, h3_j)/τ)].
/// Source: Ke et al., ICLR 2023, §3 (arXiv 2302.03241); UIC-Liu-Lab/ContinualLM, `networks/baselines/softmask.py`.
/// Deviations: rows of query, key and value and columns of the output are masked, as the paper says, where the code masks
/// columns of query, key and value; dropout is on in the first measurement, which the code does without it, so that its
/// divergence is rounding error; the divergence is over features of the hidden states, where the code takes positions;
/// importances of domains are measured without dropout.
public final class DAS: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var examples = 10_000
    public var batchSize = 8
    public var contrast = 1.0
    public var temperature = 0.05
    public init() {}
    public static let keys = [
      ConfigurationKey("examples", "most rows of text behind one measurement of importance", allowed: .atLeast(1)),
      ConfigurationKey("batchSize", "rows in one pass of a measurement", allowed: .atLeast(1)),
      ConfigurationKey("contrast", "weight of the contrastive term; 0 for none", allowed: .atLeast(0)),
      ConfigurationKey("temperature", "τ of the contrastive term", allowed: .positive),
    ]
  }

  public static let card = MethodCard(
    name: "das", summary: "continual pre-training with gradients masked by the importance of units, and a contrast",
    family: .regularization,
    paper: Citation(
      "Ke et al., Continual Pre-training of Language Models, ICLR 2023", url: "https://arxiv.org/abs/2302.03241"),
    requires: .boundaries, keeps: "one number for each attention head and neuron")
  public var state = MethodState()
  private let configuration: Configuration
  private let gates: UnitGates
  private let encoder: any Encodes
  /// What 1 − I multiplies: a parameter's gradient, and the factor in a shape that broadcasts over it.
  private var masks: [(parameter: Parameter, factor: Tensor)] = []
  /// Micro-batches of the present update so far, which are not dropped alike.
  private var parts = 0

  /// - Throws: `TrainingError.needsEncoder`.
  public init(_ configuration: Configuration, learner: Learner) throws {
    guard let encoder = learner.model as? any Encodes else { throw TrainingError.needsEncoder(method: Self.card.name) }
    (self.configuration, self.encoder) = (configuration, encoder)
    gates = UnitGates(learner.parameters, heads: encoder.attentionHeads)
  }

  public func willBegin(_ experience: Experience, learner: Learner) throws {
    guard state["importance"].isEmpty else { return }
    let random = learner.generator.derived("das.general")
    try accumulate(experience, learner) { batch, start in
      func pass(_ draw: String) -> Tensor {
        let mode = Mode.training(random.derived("\(draw).\(start)"), isTapped: false)
        return self.encoder.features(batch.unmasked, mode).to(.float32).logSoftmax(1)
      }
      let first = pass("first"), second = pass("second")
      let divergence = (first.exp() * (first - second)).sum(1).mean()
      // Without dropout the gradient would be rounding error, which the normalisation makes as large as any.
      guard (first - second).abs().sum().item() > 0 else { throw DASError.noDropout }
      return divergence
    }
    masks = makeMasks(learner.parameters)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    masks = makeMasks(learner.parameters)
    return plan
  }

  public func compose(_ batch: Batch, at step: Step) -> Batch {
    parts = 0
    return batch
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard configuration.contrast > 0 else { return nil }
    let text = batch.unmasked
    func pass(_ draw: String) -> Tensor {
      let mode = Mode.training(step.ownGenerator("das.\(draw).\(parts)"), isTapped: false)
      let h = encoder.features(text, mode).to(.float32)
      return h / h.norm(2, over: [1], keep: true)
    }
    parts += 1
    let h1 = pass("first"), h2 = pass("second")
    let h3 = gates.with(gates.gates.map { importance($0).to(dtype(of: $0)) }) { pass("third") }
    return Self.contrast(h1, h2, h3, temperature: configuration.temperature) * configuration.contrast
  }

  /// Mean over the rows of −log exp(h1·h2/τ) / Σ_j [exp(h1·h2_j/τ) + exp(h1·h3_j/τ)], for rows of length one.
  static func contrast(_ h1: Tensor, _ h2: Tensor, _ h3: Tensor, temperature: Double) -> Tensor {
    let scores = h1.matmul(Tensor.concatenated([h2, h3], 0).t) / temperature
    return scores.crossEntropy(.arange(0..<h1.size(0), device: h1.device))
  }

  public func willUpdate(_ parameters: [Parameter], at step: Step) {
    withoutGradient {
      for (parameter, factor) in masks { parameter.multiplyGradient(by: factor) }
    }
  }

  public func didEnd(_ experience: Experience, learner: Learner) throws {
    try accumulate(experience, learner) { batch, _ in learner.model(batch, .evaluation).loss }
  }
}

extension DAS {
  private func importance(_ gate: UnitGate) -> Tensor {
    state["importance"][gate.name] ?? .zeros([gate.count], device: encoder.parameters[gate.name]?.value.device ?? .cpu)
  }

  private func dtype(of gate: UnitGate) -> DType { encoder.parameters[gate.name]?.value.dtype ?? .float32 }

  /// Measures importances on an experience with this loss of a batch and the place of its first row, and keeps the larger
  /// of them and those so far.
  private func accumulate(
    _ experience: Experience, _ learner: Learner, _ loss: (DeviceBatch, Int) throws -> Tensor
  ) throws {
    let rows = learner.data(of: experience).train
    var random = learner.generator.derived("das.examples.\(experience.index)")
    let chosen = Array(
      (rows.count > configuration.examples ? rows.permuted(using: &random) : rows)
        .prefix(configuration.examples))
    var sums = gates.gates.map { Tensor.zeros([$0.count], device: learner.device) }
    for start in stride(from: 0, to: chosen.count, by: configuration.batchSize) {
      try learner.pause()
      let batch = Batch(Array(chosen[start..<min(start + configuration.batchSize, chosen.count)]))
      let ones = gates.gates.map { gate -> Tensor in
        let one = Tensor.ones([gate.count], dtype: dtype(of: gate), device: learner.device)
        one.setRequiresGradient(true)
        return one
      }
      let value = try gates.with(ones) { try loss(learner.announced(learner.posed(batch)), start) }
      let gradients = value.gradients(of: ones)
      sums = zip(sums, gradients).map { sum, gradient in gradient.map { sum + $0.to(.float32) } ?? sum }
    }
    for (gate, sum) in zip(gates.gates, sums) {
      let measured = Self.normalised(sum)
      state["importance"][gate.name] = withoutGradient { measured.maximum(importance(gate)) }
    }
  }

  /// |tanh((x − mean) / deviation)| with the sample's standard deviation; zeros where all are equal.
  static func normalised(_ raw: Tensor) -> Tensor {
    let centered = raw - raw.mean()
    let deviation = ((centered * centered).sum() / Double(max(raw.count - 1, 1))).sqrt().item()
    return deviation > 0 ? (centered / Double(deviation)).tanh().abs() : .zeros(raw.shape, device: raw.device)
  }

  private func makeMasks(_ store: ParameterStore) -> [(parameter: Parameter, factor: Tensor)] {
    guard !state["importance"].isEmpty else { return [] }
    return withoutGradient {
      gates.gates.flatMap { gate -> [(parameter: Parameter, factor: Tensor)] in
        let free = importance(gate) * -1 + 1
        let layer = String(gate.name.dropLast(".weight".count))
        func found(_ name: String, _ factor: Tensor) -> (parameter: Parameter, factor: Tensor)? {
          store[name].map { ($0, factor) }
        }
        switch gate.units {
        case .outputs:
          return [found("\(layer).weight", free.unsqueezed(1)), found("\(layer).bias", free)].compactMap { $0 }
        case .inputBlocks:
          guard let output = store[gate.name] else { return [] }
          let heads = UnitGate.spread(free, over: output.shape[1])
          let attention = layer.replacingOccurrences(of: "output.dense", with: "self")
          let projections = ["query", "key", "value"].flatMap { part in
            [
              found("\(attention).\(part).weight", heads.unsqueezed(1)), found("\(attention).\(part).bias", heads),
            ]
          }
          return (projections + [found(gate.name, heads.unsqueezed(0))]).compactMap { $0 }
        }
      }
    }
  }
}

/// A model that DAS cannot ask what it knows.
public enum DASError: LocalizedError, CustomStringConvertible, Equatable {
  case noDropout

  public var description: String {
    switch self {
    case .noDropout:
      "das tells what a model knows by what dropout changes, and this model has none: set hidden_dropout_prob in its "
        + "config.json (0.1, say), or choose another method."
    }
  }
  public var errorDescription: String? { description }
}

extension DeviceBatch {
  /// The texts with what was hidden of them.
  fileprivate var unmasked: DeviceBatch {
    guard let labels, labels.shape == tokens.shape else { return self }
    let isHidden = (labels .>= Tensor.zeros([], dtype: .int64, device: device)).to(.int64)
    return reading(tokens + (labels - tokens) * isHidden)
  }
}
