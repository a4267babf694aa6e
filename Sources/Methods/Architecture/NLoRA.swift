import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Incremental low-rank adapters whose new update is pushed to be sparse, so that updates collide in few weights.
///
/// loss + λ·Σ_layers ‖B_new·A_new‖₁, the sum of absolute values of the product `[outputs, inputs]`; λ = 0 is `inc-lora`.
/// Source: Yang et al., COLING 2025, §3 (arXiv 2410.10179). Its code, PKU-YuanGroup/N-LoRA
/// `src/uie_trainer_lora.py`, multiplies the factors the other way round, A·B, `[rank, rank]`, which only layers with as
/// many outputs as inputs allow: `product: reversed`.
/// Deviations: each adapter draws a dropout mask of its own; the classification heads train too.
public final class NLoRA: ContinualMethod {
  /// Which product of the factors is sparse.
  public enum Product: String, Codable, Sendable, CaseIterable {
    /// B·A, the update of the weight: the paper.
    case update
    /// A·B: the paper's code.
    case reversed
  }

  /// The paper's values for orders 1–3 of the T5 runs; order 4 has `lambdaPerExperience` .4 eight times, then 1.2.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.1
    public var targets = SequentialLoRA.Configuration().targets
    public var lambda = 0.4
    public var lambdaPerExperience: [Double] = []
    public var product = Product.update
    public init() {}
    public static let keys =
      SequentialLoRA.Configuration.keys + [
        ConfigurationKey("lambda", "strength of the new update's sparsity", allowed: .atLeast(0)),
        ConfigurationKey(
          "lambdaPerExperience", "lambda of each experience, the last value going on; none: lambda for all",
          allowed: .atLeast(0)),
        ConfigurationKey("product", "what is sparse: update (B·A, the paper) or reversed (A·B, its code)"),
      ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "n-lora", summary: "incremental low-rank adapters with sparse updates that collide in few weights",
    family: .architecture,
    paper: Citation(
      "Yang et al., Is Parameter Collision Hindering Continual Learning in LLMs?, COLING 2025",
      url: "https://arxiv.org/abs/2410.10179"),
    requires: .boundaries, keeps: "one adapter per experience", freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var sets: [AdapterSet] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    let set = try AdapterSet(
      configuration.lora, on: configuration.targets, index: sets.count,
      seed: learner.generator.derived("lora").seed, in: learner.parameters)
    if configuration.product == .reversed, let lora = set.loras.first(where: { $0.a.shape[1] != $0.b.shape[0] }) {
      throw NLoRAError.notSquare(lora.weight.name, shape: lora.weight.shape)
    }
    sets.append(set)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(sets.last)
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    let strength = configuration.lambdaPerExperience.value(of: step.experience.index, usual: configuration.lambda)
    guard strength > 0, let loras = sets.last?.loras else { return nil }
    let terms = loras.map { lora -> Tensor in
      let a = lora.a.value.to(.float32), b = lora.b.value.to(.float32)
      return (configuration.product == .update ? b.matmul(a) : a.matmul(b)).abs().sum()
    }
    return terms.dropFirst().reduce(terms[0], +) * strength
  }
}
