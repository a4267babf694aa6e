public import Continual
import Evaluation
public import Streams

/// Trains from the pretrained weights on all data seen so far together: the upper bound of most streams.
///
/// Source: `joint` and `cumulative` of the frameworks; multi-task learning (Caruana 1997).
public final class Joint: ContinualMethod {
  public enum Schedule: String, Codable, Sendable, CaseIterable {
    /// Once, at the stream's last experience; the earlier ones train nothing and are not measured.
    case last
    /// Anew after every experience: each row of the matrix is an upper bound.
    case each
  }

  public struct Configuration: ConfigurationSection {
    public var schedule = Schedule.last
    public init() {}
    public static let keys = [
      ConfigurationKey(
        "schedule", "when to train: last (once, at the end of the stream) or each (anew after every experience)")
    ]
  }

  public static let card = MethodCard(
    name: "joint", summary: "train on the data of all experiences together", family: .reference,
    paper: Citation(
      "Caruana, Multitask Learning, Machine Learning 1997", url: "https://doi.org/10.1023/A:1007379606734"),
    requires: .pastData, keeps: "all data, one copy of the pretrained weights")
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration

  public init(_ configuration: Configuration, learner: Learner) {
    self.configuration = configuration
    learner.keepPretrained()
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan
    guard configuration.schedule == .each || experience.index == learner.stream.count - 1 else {
      plan.epochs = 0
      plan.isEvaluated = false
      return plan
    }
    let earlier = learner.stream.experiences.prefix(experience.index)
    plan.examples = earlier.flatMap { learner.data(of: $0).train } + plan.examples
    plan.startsFromPretrained = true
    return plan
  }
}
