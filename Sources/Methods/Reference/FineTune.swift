public import Continual
import Evaluation

/// Sequential fine-tuning: every weight trains on each experience in turn, nothing is kept. The lower bound that
/// every continual method must beat, at its own best learning rate.
public final class FineTune: ContinualMethod {
  public typealias Configuration = NoConfiguration
  public static let card = MethodCard(
    name: "finetune", summary: "train everything on each experience in turn", family: .reference,
    paper: Citation(
      "McCloskey & Cohen, Catastrophic Interference, 1989", url: "https://doi.org/10.1016/S0079-7421(08)60536-8"))
  public var state = MethodState()
  public var isRecordable: Bool { true }

  public init(_ configuration: NoConfiguration, learner: Learner) {}
}
