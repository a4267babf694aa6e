import Adapters
public import Continual
import Evaluation
import NN
public import Streams
import Torch

/// One low-rank adapter trained through all experiences, beside the heads; the backbone stays frozen.
///
/// The sequential baseline of the language-model literature: nothing protects what the adapter learned before.
/// Source: Hu et al., ICLR 2022, §4.1 (arXiv 2106.09685); rank, alpha, dropout and targets as in the T5 runs of
/// Wang et al. 2023 (arXiv 2310.14152).
/// Deviations: the classification heads train too, where the papers generate labels.
public final class SequentialLoRA: ContinualMethod {
  /// The values of the T5 runs of Wang et al. 2023.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.1
    public var targets: [String] = []
    public init() {}
    public static let keys = [
      ConfigurationKey("rank", "rank of the update of each layer", allowed: .atLeast(1)),
      ConfigurationKey("alpha", "the update is multiplied by alpha / rank", allowed: .positive),
      ConfigurationKey("dropout", "dropout on the adapter's input, in training", allowed: .halfOpenRange(0..<1)),
      ConfigurationKey("targets", "ends of the names of the adapted layers, or all; empty for queries and values"),
    ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "lora", summary: "one low-rank adapter through all experiences, the backbone frozen", family: .architecture,
    paper: Citation(
      "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022",
      url: "https://arxiv.org/abs/2106.09685"), freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var adapters: AdapterSet?

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    guard adapters == nil else { return }
    adapters = try AdapterSet(
      configuration.lora, on: configuration.targets, index: 0, seed: learner.generator.derived("lora").seed,
      in: learner.parameters)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(adapters)
  }
}
