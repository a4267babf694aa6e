public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Learning without forgetting: on the new data, the old heads must answer as they did before.
///
/// Loss + strength · KL(softmax(old/T) ‖ softmax(new/T)), mean over the rows, where `old` are the logits of the model
/// after the previous experience and `new` the present ones. In a task-incremental stream one term for each old head;
/// otherwise one over all old classes. Old heads train too. The teacher runs without dropout, and so do the old heads
/// of the student.
/// Source: Li & Hoiem, ECCV 2016, §3, eq. 3 (arXiv 1606.09282). Deviations: KL for the paper's cross-entropy (the same
/// gradient); no warm-up of the new head.
public final class LwF: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var strength = 1.0
    public var temperature = 2.0
    public var scalesByTemperature = false
    public init() {}
    public static let keys = [
      ConfigurationKey("strength", "weight α of the distillation; 0 is plain fine-tuning", allowed: .atLeast(0)),
      ConfigurationKey("temperature", "T that softens both distributions", allowed: .positive),
      ConfigurationKey("scalesByTemperature", "multiply the distillation by T², as Hinton et al. 2015 do"),
    ]
  }

  public static let card = MethodCard(
    name: "lwf", summary: "keep the old heads' answers on the new data, by distillation", family: .regularization,
    paper: Citation("Li & Hoiem, Learning without Forgetting, ECCV 2016", url: "https://arxiv.org/abs/1606.09282"),
    requires: [.boundaries, .heads], keeps: "one copy of the trained weights")
  public var state = MethodState()
  private let configuration: Configuration
  /// Old classes that are compared with one another.
  private var groups: [[Int]] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    let old = learner.stream.experiences.prefix(experience.index).map(\.classes)
    groups = learner.knowsTaskAtTest ? Self.unique(old) : [Self.unique(old.flatMap { $0 })].filter { !$0.isEmpty }
    return plan
  }

  public func willBegin(_ experience: Experience, learner: Learner) {
    guard !groups.isEmpty else { return }
    // Weights that do not train now are the teacher's as well. The compute dtype is what the teacher computed with.
    state["teacher"] = Dictionary(
      uniqueKeysWithValues: learner.parameters.trainable.map { ($0.name, $0.value.detached().clone()) })
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard !groups.isEmpty, configuration.strength > 0 else { return nil }
    let model = step.learner.classifier
    guard let features = output.features else { return nil }
    let old = withoutGradient {
      model.parameters.withValues(state["teacher"]) {
        let features = model.features(batch, .evaluation)
        return groups.map { model.heads.logits(of: $0, features: features) }
      }
    }
    let temperature = configuration.temperature
    let terms = zip(groups, old).map { group, old in
      Self.divergence(
        old: old, new: model.heads.logits(of: group, features: features), temperature: temperature)
    }
    let factor = configuration.scalesByTemperature ? temperature * temperature : 1
    return terms.dropFirst().reduce(terms[0], +) * (configuration.strength * factor)
  }

  /// KL(softmax(old/T) ‖ softmax(new/T)), mean over the rows; both `[rows, classes]` float32.
  public static func divergence(old: Tensor, new: Tensor, temperature: Double) -> Tensor {
    let old = (old / temperature).logSoftmax(1), new = (new / temperature).logSoftmax(1)
    return (old.exp() * (old - new)).sum(1).mean()
  }

  private static func unique<Element: Hashable>(_ elements: [Element]) -> [Element] {
    var known: Set<Element> = []
    return elements.filter { known.insert($0).inserted }
  }
}
