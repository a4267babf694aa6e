import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// One low-rank adapter per experience, all weighed for each text by its likeness to a vector of each experience.
///
/// y = x·Wᵀ + Σ_k w_k·(α/r)·dropout(x)·A_kᵀ·B_kᵀ over the experiences so far, with w = softmax_k(scale · cos(h, v_k)), or
/// w_k = cos(h, v_k), for the vector h that the model without adapters makes of the text. In experience n the adapter n, its
/// vector v_n and the heads train on loss + strength · mean(1 − cos(h, v_n)), the loss over the classes of experience n. A
/// prediction that is told its experience weighs the adapters up to that one, so that later ones leave it as it is. Any
/// other weighs all, and its class is one of the experience of the largest cosine.
/// Source: Wang et al., NAACL 2024, §3 (arXiv 2404.00790); boschresearch/MoCL-NAACL-2024 at d2b5f1a,
/// `model/key_encoder.py`, `model/mtl_prefix_encoder.py`, `mpeft/tuners/lora/layer.py`. The paper has the cosines for
/// weights; the code that its scripts run has the softmax of 8 times the cosines, and `matching_loss_v2` for the last term.
/// Deviations: LoRA for all models, where the paper has prefixes but for Llama; its updates are scaled by α/r, and each
/// text has weights of its own, where the code's LoRA has the batch's mean weights and no α/r; h leaves padding and
/// answers out; untold, the code weighs the adapters up to the latest experience found in the batch; the last adapter is
/// kept rather than the best on validation data. Heads of shared classes go on training in later experiences: told its
/// experience, a prediction reads the heads that were kept of it, not told, those of now; a language model that is not told
/// its experience chooses among the answers of all.
public final class MoCL: ContinualMethod {
  /// How likeness becomes weights.
  public enum Weights: String, Codable, Sendable, CaseIterable {
    /// The softmax of the scaled cosines, as the code has it.
    case softmax
    /// The cosines, as the paper has it.
    case cosine
  }

  /// The code's values, and LoRA's of the T5 runs of Wang et al. 2023.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.1
    public var targets = SequentialLoRA.Configuration().targets
    public var weights = Weights.softmax
    public var scale = 8.0
    public var strength = 1.0
    public init() {}
    public static let keys =
      SequentialLoRA.Configuration.keys + [
        ConfigurationKey("weights", "of the adapters: softmax (of the scaled cosines) or cosine (as they are)"),
        ConfigurationKey("scale", "weights: softmax, multiplies the cosines", allowed: .positive),
        ConfigurationKey(
          "strength", "weight of the new vector's likeness to its experience's texts", allowed: .atLeast(0)),
      ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "mocl", summary: "one low-rank adapter per experience, weighed by a text's likeness to each experience",
    family: .architecture,
    paper: Citation(
      "Wang et al., Rehearsal-Free Modular and Compositional Continual Learning for Language Models, NAACL 2024",
      url: "https://arxiv.org/abs/2404.00790"),
    requires: .boundaries, keeps: "one adapter and one vector per experience, told the task its heads",
    freezesModel: true)
  public var state = MethodState()
  private let configuration: Configuration
  private var sets: [AdapterSet] = []
  private(set) var vectors: [Parameter] = []
  private(set) var mixtures: [LoRAMixture] = []
  private var reader = Reader.training
  /// `[rows, experiences]` of the forward pass that runs: the cosines, and the weights made of them.
  private var cosines: Tensor?
  private(set) var weights: Tensor?

  /// What a pass knows of its texts' experience.
  private enum Reader { case training, told(Int), untold }

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    let layers = try Targets.rowLinears(configuration.targets, in: learner.parameters)
    if mixtures.isEmpty {
      mixtures = layers.map { layer in
        LoRAMixture(on: layer, dropout: configuration.dropout) { [unowned self] x, mode in
          guard let weights else { preconditionFailure("mocl: a forward pass was not announced by willForward") }
          return weights.spread(over: x, mode)
        }
      }
    }
    let set = try AdapterSet(
      configuration.lora, on: layers.map(\.name), index: sets.count,
      seed: learner.generator.derived("lora").seed, in: learner.parameters)
    set.move(into: mixtures, on: layers)
    sets.append(set)
    vectors.append(Self.vector(sets.count - 1, like: layers[0].weight, learner))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(named: Set(((sets.last?.parameters ?? []) + vectors.suffix(1)).map(\.name)))
  }

  public func willForward(_ batch: inout DeviceBatch, learner: Learner) {
    guard !sets.isEmpty else { return }
    let features = mixtures.frozenFeatures(batch, learner.representer)
    var vectors = vectors[...]
    if case .told(let experience) = reader { vectors = vectors.prefix(experience + 1) }
    let cosines = Self.cosines(features, .stacked(vectors.map { $0.value.to(.float32) }))
    self.cosines = cosines
    weights = configuration.weights == .cosine ? cosines : (cosines * configuration.scale).softmax(1)
    switch reader {
    case .training: batch.narrow(to: batch.experiences, learner)
    case .told: return
    case .untold: batch.narrow(to: cosines.argmax(1).scalars(Int64.self).map { Int($0) }, learner)
    }
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard configuration.strength > 0, let cosines else { return nil }
    return (-cosines.at(1, cosines.size(1) - 1).mean() + 1) * configuration.strength
  }

  public func didUpdate(_ parameters: [Parameter], at step: Step) { (cosines, weights) = (nil, nil) }

  public func didEnd(_ experience: Experience, learner: Learner) {
    if learner.knowsTaskAtTest { state.keepHeads(of: experience, learner) }
  }

  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    let before = reader
    defer { (reader, cosines, weights) = (before, nil, nil) }
    reader = experience.map { .told($0) } ?? .untold
    guard let experience else { return try body() }
    return try state.withHeads(of: experience, learner, body)
  }

  /// The cosine of each of `features [rows, width]` with each of `vectors [experiences, width]`, `[rows, experiences]`.
  static func cosines(_ features: Tensor, _ vectors: Tensor) -> Tensor {
    func unit(_ x: Tensor) -> Tensor { x / x.norm(over: [1], keep: true).clamped(1e-12...Double.infinity) }
    return unit(features).matmul(unit(vectors).t)
  }

  /// The vector of an experience, uniform in 0 to 1, named `mocl.vector.<experience>`.
  private static func vector(_ experience: Int, like weight: Parameter, _ learner: Learner) -> Parameter {
    let width = learner.representer.featureWidth
    return (Scope(adaptersOf: learner, like: weight) / "mocl" / "vector").parameter("\(experience)", [width]) {
      .uniform([width], 0..<1, &$0)
    }
  }
}
