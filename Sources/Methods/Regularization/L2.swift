public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Holds the weights to those after each earlier experience, all weights alike: EWC with F = 1.
///
/// Loss + strength/2 · Σⱼ Σᵢ (θᵢ − θ*ⱼᵢ)², j over the earlier experiences, i over backbone and adapter weights that
/// trained in j. Heads are free.
/// Source: the L2 baseline of Kirkpatrick et al., PNAS 2017, §2.1 (arXiv 1612.00796).
public final class L2: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var strength = 1.0
    public init() {}
    public static let keys = [
      ConfigurationKey("strength", "weight λ of the penalty; 0 is plain fine-tuning", allowed: .atLeast(0))
    ]
  }

  public static let card = MethodCard(
    name: "l2", summary: "hold every weight to its values after the earlier experiences", family: .regularization,
    paper: Citation(
      "Kirkpatrick et al., Overcoming catastrophic forgetting in neural networks, PNAS 2017",
      url: "https://arxiv.org/abs/1612.00796"),
    requires: .boundaries, keeps: "one copy of the trained weights")
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var quadratic: QuadraticPenalty?

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    quadratic = QuadraticPenalty(state, learner.parameters)
    return plan
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    quadratic?(strength: configuration.strength)
  }

  public func didEnd(_ experience: Experience, learner: Learner) {
    guard configuration.strength > 0 else { return }
    let held = learner.regularized
    let one = Tensor.ones([], device: learner.device)
    state.addQuadratic(
      importance: Dictionary(uniqueKeysWithValues: held.map { ($0.name, one) }),
      anchor: Dictionary(uniqueKeysWithValues: held.map { ($0.name, $0.master.clone()) }))
  }
}
