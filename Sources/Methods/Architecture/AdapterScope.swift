import Continual
import NN
import Torch

extension Scope {
  /// The root of parameters that a method adds beside its adapters, in the dtype and on the device of `weight`.
  init(adaptersOf learner: Learner, like weight: Parameter) {
    let seed = learner.generator.derived("lora").seed
    self = Scope(store: learner.parameters, dtype: weight.value.dtype, device: weight.value.device, seed: seed)
      .fresh(.adapter, seed: seed)
  }
}

extension TrainingPlan {
  /// The same plan with everything frozen but the parameters of these names and the heads.
  func training(named names: Set<String>) -> TrainingPlan {
    var plan = self
    plan.isTrained = { self.isTrained($0) && ($0.role == .head || names.contains($0.name)) }
    return plan
  }
}
