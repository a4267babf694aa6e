public import Adapters
import NN

extension TrainingPlan {
  /// The same plan with everything frozen but these adapters and the heads.
  public func training(_ adapters: AdapterSet?) -> TrainingPlan {
    var plan = self
    plan.isTrained = { parameter in
      self.isTrained(parameter) && (parameter.role == .head || adapters?.contains(parameter) ?? false)
    }
    return plan
  }
}
