public import Continual
import Evaluation
public import Streams
import Torch

/// Keeps a fraction of each experience's training set and mixes all that is kept into the next ones.
///
/// After an experience of n examples, max(1, round(ratio·n)) of them are drawn by the seed; an epoch of a later
/// experience is its own training set and everything kept, shuffled together.
/// Source: the Replay baseline of Du et al., EMNLP 2024 Findings (arXiv 2406.17245), 2 % a task.
public final class Replay: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var ratio = 0.02
    public init() {}
    public static let keys = [
      ConfigurationKey("ratio", "share of each experience's training set that is kept", allowed: .range(0...1))
    ]
  }

  public static let card = MethodCard(
    name: "replay", summary: "mix a small share of every earlier training set into the present one", family: .replay,
    paper: Citation(
      "Du et al., Unlocking Continual Learning Abilities in Language Models, EMNLP 2024 Findings",
      url: "https://arxiv.org/abs/2406.17245"),
    requires: .boundaries, keeps: "a share of every training set")
  public var state: MethodState {
    get {
      var state = MethodState()
      buffer.save(in: &state)
      return state
    }
    set { buffer.restore(from: newValue) }
  }
  private var buffer: ReplayBuffer

  public init(_ configuration: Configuration, learner: Learner) { buffer = ReplayBuffer(.ratio(configuration.ratio)) }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan
    plan.examples += buffer.examples
    return plan
  }

  public func didEnd(_ experience: Experience, learner: Learner) {
    var random = learner.generator.derived("replay.\(experience.index)")
    buffer.insert(learner.data(of: experience).train, using: &random)
  }
}
