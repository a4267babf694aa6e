public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Learning without forgetting: on the new data, the model must answer as it did before.
///
/// Loss + strength · KL(softmax(old/T) ‖ softmax(new/T)), where `old` are the scores of the model after the previous
/// experience and `new` the present ones. Of heads, the mean over the rows: in a task-incremental stream one term for each
/// old head, otherwise one over all old classes; old heads train too. Of a language model, the mean over the tokens that
/// it must write, each over the whole vocabulary. The teacher runs without dropout, and so do the old heads of the student;
/// a language model does so in a pass of its own, which costs as much again as the training pass.
/// Source: Li & Hoiem, ECCV 2016, §3, eq. 3 (arXiv 1606.09282); for language models BeyonderXX/TRACE at 4bcc56e,
/// `model/Regular/LwF.py`.
/// Deviations: KL for the paper's cross-entropy (the same gradient); no warm-up of the new head; TRACE turns the KL round,
/// takes it over the text too, sums it over tokens and divides by rows, and runs its teacher with dropout. Of methods that
/// add modules the teacher has those of the new experience too, untrained (a fresh prompt, a fresh key).
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
    name: "lwf", summary: "keep the earlier model's answers on the new data, by distillation", family: .regularization,
    paper: Citation("Li & Hoiem, Learning without Forgetting, ECCV 2016", url: "https://arxiv.org/abs/1606.09282"),
    requires: .boundaries, keeps: "one copy of the trained weights")
  public var state = MethodState()
  private let configuration: Configuration
  /// Old classes that are compared with one another, of a model with heads.
  private var groups: [[Int]] = []
  private var hasTeacher = false

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    let old = learner.stream.experiences.prefix(experience.index).map(\.classes)
    hasTeacher = !old.isEmpty
    groups = learner.knowsTaskAtTest ? Self.unique(old) : [Self.unique(old.flatMap { $0 })].filter { !$0.isEmpty }
    return plan
  }

  public func willBegin(_ experience: Experience, learner: Learner) {
    guard hasTeacher else { return }
    // Weights that do not train now are the teacher's as well. The compute dtype is what the teacher computed with.
    state["teacher"] = Dictionary(
      uniqueKeysWithValues: learner.parameters.trainable.map { ($0.name, $0.value.detached().clone()) })
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard hasTeacher, configuration.strength > 0 else { return nil }
    let temperature = configuration.temperature
    let terms = scores(output, batch, step.learner).map {
      Self.divergence(old: $0.old, new: $0.new, temperature: temperature)
    }
    let factor = configuration.scalesByTemperature ? temperature * temperature : 1
    return terms.dropFirst().reduce(terms[0], +) * (configuration.strength * factor)
  }

  /// What teacher and student give, float32: the logits of each group of old classes `[rows, classes]`, or the scores of
  /// the tokens that a language model must write `[tokens, vocabulary]`.
  private func scores(
    _ output: ModelOutput, _ batch: DeviceBatch, _ learner: Learner
  ) -> [(old: Tensor, new: Tensor)] {
    if let model = learner.model as? any PredictsTokens {
      let old = asTeacher(learner) { model.labelScores(batch, .evaluation) }
      return [(old, model.labelScores(batch, .evaluation))]
    }
    let model = learner.classifier
    guard let features = output.features else { preconditionFailure("lwf: \(type(of: model)) gave no features") }
    let old = asTeacher(learner) {
      let features = model.features(batch, .evaluation)
      return groups.map { model.heads.logits(of: $0, features: features) }
    }
    return zip(groups, old).map { ($1, model.heads.logits(of: $0, features: features)) }
  }

  private func asTeacher<Result>(_ learner: Learner, _ body: () -> Result) -> Result {
    withoutGradient { learner.parameters.withValues(state["teacher"], body) }
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
