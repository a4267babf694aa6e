import Adapters
public import Continual
import Evaluation
import NN
public import Streams
import Torch

/// Several low-rank experts on each layer, mixed by a router, trained through all experiences.
///
/// y = x·Wᵀ + Σ_i g_i·(α/r)·dropout(x)·A_iᵀ·B_iᵀ with g = softmax(x·Rᵀ) of each token; experts, routers and heads train.
/// Nothing protects what they learned before; one expert is `lora`.
/// Source: Luo et al. 2024, §3 (arXiv 2402.12851), as the sequential baseline of language-model papers.
/// Deviations: every expert takes part in every token, where the paper routes to the best two; no contrastive loss and
/// no balancing of the experts; the classification heads train too.
public final class MoELoRA: ContinualMethod {
  /// LoRA's values of the T5 runs of Wang et al. 2023, for each expert.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.1
    public var targets = SequentialLoRA.Configuration().targets
    public var experts = 4
    public init() {}
    public static let keys =
      SequentialLoRA.Configuration.keys + [
        ConfigurationKey("experts", "adapters on each layer, each of the rank given", allowed: .atLeast(1))
      ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "moe-lora", summary: "low-rank experts mixed by a router on each layer, trained through all experiences",
    family: .architecture,
    paper: Citation(
      "Luo et al., MoELoRA: Contrastive Learning Guided Mixture of Experts on Parameter-Efficient Fine-Tuning, 2024",
      url: "https://arxiv.org/abs/2402.12851"), freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var trained: Set<String> = []
  private(set) var mixtures: [LoRAMixture] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    guard mixtures.isEmpty else { return }
    let store = learner.parameters
    let layers = try Targets.linears(configuration.targets, in: store)
    let routers = layers.map { Self.router(of: $0, experts: configuration.experts, learner) }
    mixtures = zip(layers, routers).map { layer, router in
      LoRAMixture(on: layer, dropout: configuration.dropout) { x, _ in
        x.to(.float32).linear(router.value.to(.float32)).softmax()
      }
    }
    for index in 0..<configuration.experts {
      let set = try AdapterSet(
        configuration.lora, on: configuration.targets, index: index, seed: learner.generator.derived("lora").seed,
        in: store)
      set.move(into: mixtures, on: layers)
    }
    trained = Set((mixtures.flatMap(\.parameters) + routers).map(\.name))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(named: trained)
  }

  /// `[experts, inputs]`, Kaiming-uniform, named `<layer>.router.weight`.
  private static func router(of layer: Linear, experts: Int, _ learner: Learner) -> Parameter {
    let scope = Scope(adaptersOf: learner, like: layer.weight) / layer.name / "router"
    return scope.parameter("weight", [experts, layer.inputs], .kaimingUniform)
  }
}
