import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// One soft prompt behind the text of a frozen T5, which learns to answer the texts and to write them.
///
/// Loss = (1 − κ)·(CE + λ·LM) + κ·Σ KL(previous ‖ present). CE answers the texts; LM writes "text, separator, answer"
/// behind the token of the text's experience. After an experience the prompt writes some texts of each class seen so far:
/// they join the next one's training set, and on them the answers under a copy of the previous prompt are kept.
/// Source: Qin & Joty, ICLR 2022, §3 (arXiv 2110.07298); qcwthu/Lifelong-Fewshot-Language-Learning at cf7d17c,
/// `Classification`. The paper trains with Adafactor at a fixed rate of 0.5 (`clipNorm: 0`, `weightDecay: 1e-5`, `batchSize:
/// 2`, `accumulation: 4`) and writes answers with `beams: 4` and `repetitionPenalty: 2.5`.
/// The divergence is a sum over the rows of one pass, as in the code, whose passes have two: how many passes make an update
/// does not change its weight beside CE and LM, their rows do, and so do processes that share them.
/// Deviations: the previous prompt is a copy, where the code gives both prompts one tensor, so that the divergence is zero;
/// the divergence is taken without dropout, and over the answers' tokens without padding; separator and experiences have
/// tokens of the vocabulary that occur in no text, the last ones, where the code adds some; a written text is read as
/// tokens; texts are written until each class has its number; the last prompt is kept rather than the best on validation
/// data; frequent tokens are counted in the first training set.
public final class LFPT5: ContinualMethod {
  /// The values of the paper and, where it has none, of its code.
  public struct Configuration: ConfigurationSection {
    public var length = 300
    public var language = 0.25
    public var distillation = 0.01
    public var samples = 2
    public var attempts = 1000
    public var sampleTokens = 128
    public var topK = 64
    public var repetitionPenalty = 2.5
    public init() {}
    public static let keys = [
      ConfigurationKey("length", "vectors of the prompt", allowed: .atLeast(1)),
      ConfigurationKey("language", "weight λ of writing the texts", allowed: .atLeast(0)),
      ConfigurationKey("distillation", "weight κ of the previous prompt's answers", allowed: .range(0...1)),
      ConfigurationKey("samples", "written texts of each earlier class, or of a task without", allowed: .atLeast(0)),
      ConfigurationKey("attempts", "most texts that are written for the samples of a task", allowed: .atLeast(0)),
      ConfigurationKey("sampleTokens", "most tokens of a written text with its answer", allowed: .atLeast(4)),
      ConfigurationKey("topK", "tokens of which one is drawn in writing; 0 for all", allowed: .atLeast(0)),
      ConfigurationKey("repetitionPenalty", "of the tokens that a text has already", allowed: .positive),
    ]
  }

  public static let card = MethodCard(
    name: "lfpt5", summary: "one soft prompt that answers texts and writes those of earlier tasks", family: .replay,
    paper: Citation(
      "Qin & Joty, LFPT5: A Unified Framework for Lifelong Few-shot Language Learning Based on Prompt Tuning of T5, "
        + "ICLR 2022",
      url: "https://arxiv.org/abs/2110.07298"),
    requires: [.boundaries, .encoderDecoder], keeps: "one prompt, a copy of it, and a few written texts of each class",
    freezesModel: true)
  public var state = MethodState()
  private let configuration: Configuration
  private var adapters: AdapterSet?
  /// Parts of the present update's batch that went through the model.
  private var parts = 0
  private var prompt: Parameter? { adapters?.parameters.first }

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    guard adapters == nil else { return }
    for other in learner.stream.experiences { try learner.checkRoom(forPrompt: configuration.length, in: other) }
    adapters = try AdapterSet(
      prompt: configuration.length, at: .behind, index: 0, seed: learner.generator.derived("lfpt5").seed,
      in: learner.parameters)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan.training(adapters)
    plan.examples += (0..<experience.index).flatMap { state.exemplars[Self.samples($0)] ?? [] }
    return plan
  }

  public func willBegin(_ experience: Experience, learner: Learner) throws {
    try TextMarks.choose(for: experience, learner, in: &state)
    guard let prompt else { return }
    if experience.index == 0 {
      prompt.assign(learner.promptVectors(configuration.length, about: experience))
    } else {
      state["previous"] = withoutGradient { [prompt.name: prompt.master.clone()] }
    }
  }

  public func compose(_ batch: Batch, at step: Step) -> Batch {
    parts = 0
    return batch
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    let share = configuration.distillation, learner = step.learner, examples = batch.answered()
    let marks = TextMarks(state, learner)
    let texts = learner.deviceBatch(Batch(examples.map(marks.writing)))
    let language = learner.model(texts, .training(step.ownGenerator("lfpt5.dropout.\(parts)"))).loss
    parts += 1
    let added = language * ((1 - share) * configuration.language) - output.loss * share
    let past = examples.filter { $0.experience < step.experience.index }
    return past.isEmpty || share == 0 ? added : added + divergence(past, learner) * share
  }

  /// Σ KL(answers under the previous prompt ‖ under the present one) over the tokens of the examples' answers.
  func divergence(_ examples: [TokenizedExample], _ learner: Learner) -> Tensor {
    guard let model = learner.model as? any PredictsTokens else {
      preconditionFailure("lfpt5: \(type(of: learner.model)) does not predict tokens")
    }
    let batch = learner.deviceBatch(Batch(examples))
    let new = model.labelScores(batch, .evaluation).logSoftmax(1)
    let old = withoutGradient {
      learner.parameters.withValues(state["previous"]) { model.labelScores(batch, .evaluation).logSoftmax(1) }
    }
    return (old.exp() * (old - new)).sum()
  }

  public func didEnd(_ experience: Experience, learner: Learner) throws {
    for past in learner.seen {
      state.exemplars[Self.samples(past.index)] = try written(past, after: experience, learner)
    }
  }

  /// Texts of an experience with their answers, as the prompt writes them now.
  private func written(
    _ past: Experience, after experience: Experience, _ learner: Learner
  ) throws -> [TokenizedExample] {
    let c = configuration
    let classes = learner.data(of: past).options.map { Array($0.dropLast()) }
    var texts = WrittenTexts(of: past, classes: classes, atMost: c.samples, marks: TextMarks(state, learner))
    let sampling = TextSampling(
      maxTokens: c.sampleTokens, topK: c.topK, repetitionPenalty: c.repetitionPenalty)
    let draw = learner.generator.derived("lfpt5.\(experience.index).\(past.index)")
    try texts.fill(c.attempts, sampling, draw: draw, learner)
    return texts.examples
  }

  private static func samples(_ experience: Int) -> String { "samples.\(experience)" }
}
