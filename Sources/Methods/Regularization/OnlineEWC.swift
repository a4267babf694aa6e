public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Elastic weight consolidation with one running Fisher information and one anchor.
///
/// Loss + strength/2 · Σ F (θ − θ*)²; after each experience F ← decay·F + F_new and θ* ← θ. Backbone and adapter
/// weights that train; heads are free.
/// Source: Schwarz et al., ICML 2018, §3.2, eq. 9 (arXiv 1805.06370). Mammoth leaves out the ½ and weighs each squared
/// gradient by the probability of its label; neither is done here.
public final class OnlineEWC: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var strength = 100.0
    public var decay = 0.95
    public var fisher = FisherEstimator.perSample
    public var examples = 1000
    public var batchSize = 8
    public init() {}
    public static let keys = [
      ConfigurationKey("strength", "weight λ of the penalty; 0 is plain fine-tuning", allowed: .atLeast(0)),
      ConfigurationKey(
        "decay", "factor γ on the earlier Fisher information after each experience", allowed: .range(0...1)),
      ConfigurationKey(
        "fisher", "Fisher information: perSample (exact), batch (Avalanche, PyCIL) or sampled (labels from the model)"),
      ConfigurationKey("examples", "most training examples behind one estimate", allowed: .atLeast(1)),
      ConfigurationKey("batchSize", "examples in one gradient of the batch estimate", allowed: .atLeast(1)),
    ]
  }

  public static let card = MethodCard(
    name: "online-ewc", summary: "EWC with one decaying Fisher information and the newest weights as anchor",
    family: .regularization,
    paper: Citation("Schwarz et al., Progress & Compress, ICML 2018", url: "https://arxiv.org/abs/1805.06370"),
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
    for (parameter, new) in zip(held, fisher) {
      let old = state["importance"][parameter.name]
      state["importance"][parameter.name] = old.map { $0 * configuration.decay + new } ?? new
      state["anchor"][parameter.name] = parameter.master.clone()
    }
  }
}
