import Adapters
public import Continual
import Evaluation
import NN
public import Streams
import Torch

/// A new low-rank adapter for each experience; earlier ones are frozen and add up in the forward pass.
///
/// y = x·Wᵀ + Σ_t (α/r)·dropout(x)·A_tᵀ·B_tᵀ; only the newest A and B and the heads train.
/// Source: the incremental baseline of Wang et al., EMNLP 2023 Findings, §4 (arXiv 2310.14152).
/// Deviations: each adapter draws a dropout mask of its own, where the paper's code shares one; heads train too.
public final class IncLoRA: ContinualMethod {
  public typealias Configuration = SequentialLoRA.Configuration
  public static let card = MethodCard(
    name: "inc-lora", summary: "a new low-rank adapter for each experience, earlier ones frozen", family: .architecture,
    paper: Citation(
      "Wang et al., Orthogonal Subspace Learning for Language Model Continual Learning, EMNLP 2023 Findings",
      url: "https://arxiv.org/abs/2310.14152"),
    requires: .boundaries, keeps: "one adapter per experience", freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var sets: [AdapterSet] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    sets.append(
      try AdapterSet(
        configuration.lora, on: configuration.targets, index: sets.count,
        seed: learner.generator.derived("lora").seed, in: learner.parameters))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(sets.last)
  }
}
