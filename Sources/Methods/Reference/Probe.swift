public import Continual
import Evaluation
import NN
public import Streams

/// Trains the heads on a frozen backbone: what the pretrained representation gives, with nothing to forget in it.
///
/// Source: linear probes, Alain & Bengio 2016 (arXiv 1610.01644).
public final class Probe: ContinualMethod {
  public typealias Configuration = NoConfiguration
  public static let card = MethodCard(
    name: "probe", summary: "train the heads only, on the frozen backbone", family: .reference,
    paper: Citation(
      "Alain & Bengio, Understanding intermediate layers using linear classifier probes, 2016",
      url: "https://arxiv.org/abs/1610.01644"),
    requires: .heads, freezesModel: true)
  public var state = MethodState()

  public init(_ configuration: NoConfiguration, learner: Learner) {}

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var narrowed = plan
    narrowed.isTrained = { $0.role == .head && plan.isTrained($0) }
    return narrowed
  }
}
