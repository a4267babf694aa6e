public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Elastic weight consolidation: weights that mattered for earlier experiences are held, the others are free.
///
/// Loss + strength/2 · Σⱼ Σᵢ Fⱼᵢ (θᵢ − θ*ⱼᵢ)², where after each experience j, Fⱼ is the diagonal Fisher information
/// on its training data and θ*ⱼ are the weights. It concerns backbone and adapter weights that trained in j; heads
/// are free. `QuadraticPenalty` says how all anchors fit into two copies of the weights.
/// Source: Kirkpatrick et al., PNAS 2017, eq. 3 (arXiv 1612.00796), one penalty for each earlier task. The default
/// strength is that of TRACE's language-model runs, which collect the gradients during training instead.
public final class EWC: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var strength = 400.0
    public var fisher = FisherEstimator.perSample
    public var examples = 1000
    public var batchSize = 8
    public init() {}
    public static let keys = [
      ConfigurationKey("strength", "weight λ of the penalty; 0 is plain fine-tuning", allowed: .atLeast(0)),
      ConfigurationKey(
        "fisher", "Fisher information: perSample (exact), batch (Avalanche, PyCIL) or sampled (labels from the model)"),
      ConfigurationKey("examples", "most training examples behind one estimate", allowed: .atLeast(1)),
      ConfigurationKey("batchSize", "examples in one gradient of the batch estimate", allowed: .atLeast(1)),
    ]
  }

  public static let card = MethodCard(
    name: "ewc", summary: "hold the weights that earlier experiences need, by Fisher information",
    family: .regularization,
    paper: Citation(
      "Kirkpatrick et al., Overcoming catastrophic forgetting in neural networks, PNAS 2017",
      url: "https://arxiv.org/abs/1612.00796"),
    requires: .boundaries, keeps: "two copies of the trained weights")
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var quadratic: QuadraticPenalty?

  public init(_ configuration: Configuration, learner: Learner) throws {
    try configuration.fisher.check(learner)
    self.configuration = configuration
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    quadratic = QuadraticPenalty(state, learner.parameters)
    return plan
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    quadratic?(strength: configuration.strength)
  }

  public func didEnd(_ experience: Experience, learner: Learner) throws {
    guard configuration.strength > 0 else { return }
    let held = learner.regularized
    let fisher = try learner.fisher(
      of: held, on: experience, estimator: configuration.fisher, examples: configuration.examples,
      batchSize: configuration.batchSize)
    state.addQuadratic(
      importance: Dictionary(uniqueKeysWithValues: zip(held.map(\.name), fisher)),
      anchor: Dictionary(uniqueKeysWithValues: held.map { ($0.name, $0.master.clone()) }))
  }
}
