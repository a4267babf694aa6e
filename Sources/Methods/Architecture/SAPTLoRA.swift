import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// One low-rank adapter per experience, all weighed for each input by an attention that is learned with them.
///
/// y = x·Wᵀ + Σ_t a_t·(α/r)·x·A_tᵀ·B_tᵀ with a = softmax_t(k_t·q/√d), the same in all layers, in training and test. The
/// query q of an input is made of its token embeddings by a network that all experiences share; the key k_t and the
/// adapter of an experience train in it alone. Attentive reflection holds the attention to the past: loss +
/// reflection · Σ_{t before} KL(a̅_t ‖ a) over stored inputs of t, where a̅_t is the mean attention after t.
/// Source: Zhao et al., ACL 2024, §4 (arXiv 2401.08295); circle-hit/SAPT at 52a52b9, `src/t5_prompt.py`, `src/cl_trainer.py`.
/// Deviations: the inputs of earlier experiences are stored real ones unless `pseudo: written` has an adapter write them,
/// as the paper does (`InputWriter`); a̅_t is taken over training texts; queries leave padding and answers out; the query's SiLU stands between its two layers, as
/// in the paper, where the code puts it behind both; the classification heads train too.
public final class SAPTLoRA: ContinualMethod {
  /// What stands for the inputs of earlier experiences.
  public enum Pseudo: String, Codable, Sendable, CaseIterable {
    /// A share of each training set, stored.
    case replay
    /// As many inputs, written by an adapter that was trained on the training set.
    case written
    /// Nothing: no reflection.
    case none
  }

  /// The paper's values for the T5 runs.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.0
    public var targets = SequentialLoRA.Configuration().targets
    public var queryWidth = 100
    public var reflection = 0.1
    public var pseudo = Pseudo.replay
    public var pseudoRatio = 0.02
    public var pseudoRows = 32
    public var writer = InputWriter.Configuration()
    public init() {}
    public static let keys =
      SequentialLoRA.Configuration.keys + [
        ConfigurationKey("queryWidth", "width between the two layers of the query", allowed: .atLeast(1)),
        ConfigurationKey("reflection", "strength of the attention to earlier inputs", allowed: .atLeast(0)),
        ConfigurationKey(
          "pseudo", "what stands for earlier inputs: replay (stored ones), written, or none (no reflection)"),
        ConfigurationKey(
          "pseudoRatio", "share of each training set that is stored, or as many written", allowed: .range(0...1)),
        ConfigurationKey(
          "pseudoRows", "inputs of each earlier experience that an update looks at", allowed: .atLeast(1)),
        ConfigurationKey("writer", "pseudo: written, how the adapter that writes inputs is trained and asked"),
      ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "sapt-lora", summary: "one low-rank adapter per experience, weighed for each input by a shared attention",
    family: .architecture,
    paper: Citation(
      "Zhao et al., SAPT: A Shared Attention Framework for Parameter-Efficient Continual Learning of Large Language "
        + "Models, ACL 2024",
      url: "https://arxiv.org/abs/2401.08295"),
    requires: .boundaries, keeps: "one adapter, one key and a share of the training set per experience",
    freezesModel: true)
  public var state = MethodState()
  private let configuration: Configuration
  private var sets: [AdapterSet] = []
  private(set) var mixtures: [LoRAMixture] = []
  private(set) var attention: SharedAttention?
  /// `[rows, experiences]` of the forward pass that runs.
  private(set) var weights: Tensor?

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    let layers = try Targets.rowLinears(configuration.targets, in: learner.parameters)
    if configuration.pseudo == .written, !(learner.model is any Generates) { throw SAPTLoRAError.cannotWrite }
    if mixtures.isEmpty {
      attention = try SharedAttention(learner, queryWidth: configuration.queryWidth)
      mixtures = layers.map { layer in
        LoRAMixture(on: layer, dropout: configuration.dropout) { [unowned self] in rowWeights(for: $0, $1) }
      }
    }
    let set = try AdapterSet(
      configuration.lora, on: layers.map(\.name), index: sets.count,
      seed: learner.generator.derived("lora").seed, in: learner.parameters)
    set.move(into: mixtures, on: layers)
    attention?.addKey(learner)
    sets.append(set)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(named: Set(((sets.last?.parameters ?? []) + (attention?.trained ?? [])).map(\.name)))
  }

  public func willForward(_ batch: inout DeviceBatch, learner: Learner) {
    weights = attention?.weights(batch, learner)
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard configuration.pseudo != .none, configuration.reflection > 0, let attention else { return nil }
    let terms = (0..<step.experience.index).compactMap { past -> Tensor? in
      var buffer = ReplayBuffer(.ratio(configuration.pseudoRatio)), random = step.generator("sapt.\(past)")
      buffer.restore(from: state, as: "pseudo.\(past)")
      let drawn = buffer.draw(configuration.pseudoRows, using: &random)
      guard let recorded = state["attention"]["\(past)"], !drawn.isEmpty else { return nil }
      let scores = attention.scores(step.learner.deviceBatch(Batch(drawn), withAnswers: false), step.learner)
      return Self.divergence(recorded: recorded, scores: scores)
    }
    return terms.isEmpty ? nil : terms.dropFirst().reduce(terms[0], +) * configuration.reflection
  }

  public func didUpdate(_ parameters: [Parameter], at step: Step) { weights = nil }

  public func didEnd(_ experience: Experience, learner: Learner) throws {
    guard configuration.pseudo != .none, let attention else { return }
    let texts = learner.data(of: experience).train
    guard !texts.isEmpty else { return }
    var buffer = ReplayBuffer(.ratio(configuration.pseudoRatio))
    var random = learner.generator.derived("sapt.keep.\(experience.index)")
    buffer.insert(texts, using: &random)
    if configuration.pseudo == .written {
      let writer = InputWriter(configuration.writer, of: experience, learner)
      let set = try AdapterSet(
        configuration.lora, on: configuration.targets, index: sets.count,
        seed: learner.generator.derived("sapt.writer").seed, in: learner.parameters)
      state.exemplars["pseudo.\(experience.index)"] = try writer.write(buffer.examples.count, with: set)
    } else {
      buffer.save(in: &state, as: "pseudo.\(experience.index)")
    }
    state["attention"]["\(experience.index)"] = withoutGradient {
      let sums = stride(from: 0, to: texts.count, by: 32).map { start in
        let batch = Batch(Array(texts[start..<min(start + 32, texts.count)]))
        return attention.weights(learner.deviceBatch(batch, withAnswers: false), learner).sum(0)
      }
      return sums.dropFirst().reduce(sums[0], +) / Double(texts.count)
    }
  }

  /// KL(recorded ‖ softmax(scores)), mean over the rows. `recorded` is `[experiences then]`; adapters that came later
  /// had no attention. `scores` is `[rows, experiences]`.
  static func divergence(recorded: Tensor, scores: Tensor) -> Tensor {
    let known = recorded.size(0)
    // 0·log 0 = 0.
    let entropy = withoutGradient { (recorded * recorded.clamped(1e-30...1).log()).sum() }
    return entropy - (recorded * scores.logSoftmax(1).narrowed(1, 0..<known)).sum(1).mean()
  }

  /// The weights of the pass's rows, shaped to meet a layer's input `[rows, ..., inputs]`.
  private func rowWeights(for x: Tensor, _ mode: Mode) -> Tensor {
    guard let weights else { preconditionFailure("sapt-lora: a forward pass was not announced by willForward") }
    return weights.spread(over: x, mode)
  }
}
