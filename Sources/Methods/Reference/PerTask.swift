public import Continual
import Evaluation
import NN
public import Streams
import Torch

/// One model for each experience, each trained from the pretrained weights; the task label picks the model.
///
/// Nothing is forgotten and nothing is shared: what each task gives alone. An experience that has not trained yet is
/// predicted with the pretrained weights.
public final class PerTask: ContinualMethod {
  public typealias Configuration = NoConfiguration
  public static let card = MethodCard(
    name: "per-task", summary: "one model for each experience, from the pretrained weights", family: .reference,
    paper: Citation(
      "Wang et al., A Comprehensive Survey of Continual Learning, TPAMI 2024", url: "https://arxiv.org/abs/2302.00487"),
    requires: [.taskLabelAtTest, .boundaries], keeps: "one copy of the trained weights for each experience")
  public var state = MethodState()
  public var isRecordable: Bool { true }

  public init(_ configuration: NoConfiguration, learner: Learner) { learner.keepPretrained() }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan
    plan.startsFromPretrained = true
    return plan
  }

  public func willBegin(_ experience: Experience, learner: Learner) {
    // All weights are as before any training, so adapters that other experiences brought change nothing in these.
    for parameter in learner.parameters.all
    where parameter.role == .adapter && state["start"][parameter.name] == nil {
      state["start"][parameter.name] = parameter.value.detached().clone()
    }
  }

  public func didEnd(_ experience: Experience, learner: Learner) {
    // In the compute dtype, so that prediction swaps tensors and converts nothing.
    state[Self.group(experience.index)] = Dictionary(
      uniqueKeysWithValues: learner.parameters.trainable.map { ($0.name, $0.value.detached().clone()) })
  }

  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    guard let experience else { return try body() }
    let own = state[Self.group(experience)]
    let values = state["start"].merging(own.isEmpty ? learner.pretrained : own) { $1 }
    return try learner.parameters.withValues(values, body)
  }

  private static func group(_ experience: Int) -> String { "task.\(experience)" }
}
