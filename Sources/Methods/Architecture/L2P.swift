import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// A pool of soft prompts, of which each text reads those whose keys are most like it; the backbone is frozen.
///
/// query(x) = mean of x's word embeddings; the `chosen` prompts of largest cos(query, key) stand in front of x.
/// loss − strength · Σ_chosen cos(query, key), averaged over the batch, draws keys towards the texts that chose them.
/// Source: Wang et al., CVPR 2022, §4 (arXiv 2112.08654), as language models are compared with it: query, sizes and
/// strength as in BeyonderXX/TRACE.
/// Deviations: keys are weights of their own, as in the paper, where TRACE takes the mean of a prompt's vectors; prompts
/// start as random words; no counts of how often a prompt was chosen; heads train too. A decoder's query is the mean over
/// text and answer while it trains, as in TRACE, and over the text alone when it predicts.
public final class L2P: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var pool = 10
    public var length = 5
    public var chosen = 3
    public var strength = 0.5
    public init() {}
    public static let keys = [
      ConfigurationKey("pool", "prompts in the pool", allowed: .atLeast(1)),
      ConfigurationKey("length", "vectors of each prompt", allowed: .atLeast(1)),
      ConfigurationKey("chosen", "prompts that a text reads, at most the pool's", allowed: .atLeast(1)),
      ConfigurationKey("strength", "weight of the likeness of texts and the keys they chose", allowed: .atLeast(0)),
    ]
  }

  public static let card = MethodCard(
    name: "l2p", summary: "a pool of soft prompts from which each text chooses", family: .architecture,
    paper: Citation(
      "Wang et al., Learning to Prompt for Continual Learning, CVPR 2022", url: "https://arxiv.org/abs/2112.08654"),
    keeps: "one pool of prompts and keys", freezesModel: true)
  public var state = MethodState()
  private let configuration: Configuration
  private var adapters: AdapterSet?
  private var pool: PromptPool? { adapters?.adapters.first as? PromptPool }

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    let c = configuration, chosen = min(c.chosen, c.pool)
    guard adapters == nil else { return }
    for other in learner.stream.experiences { try learner.checkRoom(forPrompt: c.length * chosen, in: other) }
    adapters = try AdapterSet(
      PromptPool.Configuration(prompts: c.pool, length: c.length, chosen: chosen), index: 0,
      seed: learner.generator.derived("l2p").seed, in: learner.parameters)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(adapters)
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    pool?.takeMatch().map { $0 * -configuration.strength }
  }
}
