import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Incremental low-rank adapters whose new A is pushed to be orthogonal to the rows of all earlier ones.
///
/// loss + λ1·Σ_layers Σ|A_previous·A_newᵀ| + λ2·Σ‖P‖_F over the new A and B; λ1 = 0 is `inc-lora`.
/// Source: Wang et al., EMNLP 2023 Findings, §3.2 (arXiv 2310.14152); absolute values as in cmnfriend/O-LoRA
/// `src/uie_trainer_lora.py`, where the paper writes squares.
/// Deviations: each adapter draws a dropout mask of its own; the classification heads train too.
public final class OLoRA: ContinualMethod {
  /// The paper's values for the T5 runs of orders 1–3; the long benchmark's scripts have a λ1 of 0 for the first
  /// experience, .5 for the next eight and 5 for the rest, and a λ2 of 0, .1 or .3 by experience.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.1
    public var targets: [String] = []
    public var lambda1 = 0.5
    public var lambda2 = 0.0
    public var lambda1PerExperience: [Double] = []
    public var lambda2PerExperience: [Double] = []
    public init() {}
    public static let keys =
      SequentialLoRA.Configuration.keys + [
        ConfigurationKey("lambda1", "strength of the orthogonality to earlier adapters", allowed: .atLeast(0)),
        ConfigurationKey("lambda2", "strength of the norms of the new factors", allowed: .atLeast(0)),
        ConfigurationKey(
          "lambda1PerExperience", "lambda1 of each experience, the last value going on; none: lambda1 for all",
          allowed: .atLeast(0)),
        ConfigurationKey(
          "lambda2PerExperience", "lambda2 of each experience, the last value going on; none: lambda2 for all",
          allowed: .atLeast(0)),
      ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "o-lora", summary: "incremental low-rank adapters in orthogonal subspaces", family: .architecture,
    paper: Citation(
      "Wang et al., Orthogonal Subspace Learning for Language Model Continual Learning, EMNLP 2023 Findings",
      url: "https://arxiv.org/abs/2310.14152"),
    requires: .boundaries, keeps: "one adapter per experience", freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var sets: [AdapterSet] = []
  /// For each adapted layer, the rows of all earlier A, float32, and the new A.
  private var pairs: [(earlier: Tensor, new: Parameter)] = []
  private var newest: [Parameter] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    sets.append(
      try AdapterSet(
        configuration.lora, on: configuration.targets, index: sets.count,
        seed: learner.generator.derived("lora").seed, in: learner.parameters))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    // Not in `prepare`: on resume the weights come back between the two.
    newest = sets.last?.parameters ?? []
    let earlier = sets.dropLast().map(\.loras)
    pairs =
      earlier.isEmpty
      ? []
      : (sets.last?.loras ?? []).enumerated().map { layer, lora in
        (withoutGradient { .concatenated(earlier.map { $0[layer].a.master }) }, lora.a)
      }
    return plan.training(sets.last)
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    let index = step.experience.index
    let lambda1 = configuration.lambda1PerExperience.value(of: index, usual: configuration.lambda1)
    let lambda2 = configuration.lambda2PerExperience.value(of: index, usual: configuration.lambda2)
    var terms: [Tensor] = []
    if lambda1 > 0 {
      terms += pairs.map { $0.earlier.matmul($0.new.value.to(.float32).t).abs().sum() * lambda1 }
    }
    if lambda2 > 0 { terms += newest.map { $0.value.norm() * lambda2 } }
    return terms.isEmpty ? nil : terms.dropFirst().reduce(terms[0], +)
  }
}
