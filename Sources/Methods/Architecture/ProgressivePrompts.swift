import Adapters
public import Continual
import Evaluation
import NN
public import Streams
import Torch

/// A new soft prompt for each experience in front of all earlier ones, which are frozen, as is the backbone.
///
/// Experience k reads [P_k, …, P_1, x] and trains P_k and the heads alone; its predictions read the same, whatever
/// comes later. The paper trains prompts of 10 tokens at a learning rate of 0.3 (AdamW, decay 1e-5, batch 8).
/// Source: Razdaibiedina et al., ICLR 2023, §3 (arXiv 2301.12314); prompts start as random words of the vocabulary.
/// Deviations: no residual MLP around a prompt while it trains (the paper's option), the last prompt is kept rather than
/// the best on validation data, and texts are not cut to make room for prompts: a stream that leaves none is refused.
public final class ProgressivePrompts: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var length = 10
    public init() {}
    public static let keys = [
      ConfigurationKey("length", "vectors of each experience's prompt", allowed: .atLeast(1))
    ]
  }

  public static let card = MethodCard(
    name: "progressive-prompts", summary: "a new soft prompt for each experience in front of the earlier, frozen ones",
    family: .architecture,
    paper: Citation(
      "Razdaibiedina et al., Progressive Prompts: Continual Learning for Language Models, ICLR 2023",
      url: "https://arxiv.org/abs/2301.12314"),
    requires: [.taskLabelAtTest, .boundaries], keeps: "one prompt and one copy of the heads per experience",
    freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var sets: [AdapterSet] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    if sets.isEmpty {
      for other in learner.stream.experiences {
        try learner.checkRoom(forPrompt: configuration.length * (other.index + 1), in: other)
      }
    }
    sets.append(
      try AdapterSet(
        prompt: configuration.length, index: sets.count, seed: learner.generator.derived("prompt").seed,
        in: learner.parameters))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(sets.last)
  }

  public func didEnd(_ experience: Experience, learner: Learner) { state.keepHeads(of: experience, learner) }

  /// An experience's predictions read its own prompt and the earlier ones, through its own heads; those of an experience
  /// that is still to come read all prompts there are.
  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    guard let experience else { return try body() }
    return try sets.dropFirst(experience + 1).disabled {
      try state.withHeads(of: experience, learner, body)
    }
  }
}
