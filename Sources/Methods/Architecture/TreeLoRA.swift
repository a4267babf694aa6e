import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Incremental low-rank adapters that learn in the direction of the earlier experiences most like the present one.
///
/// The signature of an experience is, for each adapted layer, the mean over its updates of the gradient of the new A. At
/// an update a bandit on a tree of the earlier signatures chooses an experience k for each layer, by the distance
/// ½‖ŝ − ŝ_k‖₁ of the signatures divided by their sums of magnitudes, and the gradient of A becomes
/// g + strength·(step/steps)·‖g‖·s_k/‖s_k‖: a step along the present and the chosen direction.
/// Source: Qian et al., ICML 2025, §3 (arXiv 2506.10355). Its code, ZinYY/TreeLoRA at c6a9b6d, `utils/kd_lora_tree.py`,
/// takes the values of A for its gradients, and the loss − strength·(step/steps)·loss·⟨A, s_k⟩/|⟨A, s_k⟩|, the quotients
/// without gradient: `signature: values`.
/// Deviations: the paper's inner product of gradients acts on the gradient itself, without second derivatives; cosines
/// and distances of normalised signatures, so that their scale does not matter; the tree holds the signatures, and its
/// prior is min(1 + cosine, 1.5), where the code holds their differences and has min(likeness, 1.5); the bandit's scores
/// are shifted to begin at zero, and it counts over an experience instead of an epoch; the loss raises ⟨A, s_k⟩ where it
/// is negative too; the classification heads train too.
public final class TreeLoRA: ContinualMethod {
  /// What stands for an experience.
  public enum Signature: String, Codable, Sendable, CaseIterable {
    /// Mean gradients of A: the paper.
    case gradients
    /// Mean values of A: the paper's code.
    case values
  }

  /// LoRA's values of the T5 runs of Wang et al. 2023; the strength is the paper's.
  public struct Configuration: ConfigurationSection {
    public var rank = 8
    public var alpha = 32.0
    public var dropout = 0.1
    public var targets = SequentialLoRA.Configuration().targets
    public var strength = 0.5
    public var signature = Signature.gradients
    public init() {}
    public static let keys =
      SequentialLoRA.Configuration.keys + [
        ConfigurationKey("strength", "pull of the chosen experience at the last update", allowed: .atLeast(0)),
        ConfigurationKey("signature", "what stands for an experience: gradients (the paper) or values (its code)"),
      ]
    var lora: LoRA.Configuration { LoRA.Configuration(rank: rank, alpha: alpha, dropout: dropout) }
  }

  public static let card = MethodCard(
    name: "tree-lora", summary: "incremental low-rank adapters that follow the most similar earlier experiences",
    family: .architecture,
    paper: Citation(
      "Qian et al., TreeLoRA: Efficient Continual Learning via Layer-Wise LoRAs Guided by a Hierarchical "
        + "Gradient-Similarity Tree, ICML 2025",
      url: "https://arxiv.org/abs/2506.10355"),
    requires: .boundaries, keeps: "one adapter and one mean gradient of its A per experience", freezesModel: true)
  public var state = MethodState()
  private let configuration: Configuration
  private var sets: [AdapterSet] = []
  /// The new A of each layer.
  private var factors: [Parameter] = []
  /// For each earlier experience and layer its signature.
  private var past: [[Tensor]] = []
  private var tree = TaskTree([])
  /// What the update that runs will leave in the state, and the signatures it chose.
  private var pending: (present: [Tensor], chosen: [Tensor], bandit: TaskBandit)?

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    sets.append(
      try AdapterSet(
        configuration.lora, on: configuration.targets, index: sets.count,
        seed: learner.generator.derived("lora").seed, in: learner.parameters))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    factors = sets.last?.loras.map(\.a) ?? []
    past = (0..<experience.index).map { index in factors.indices.compactMap { state["signature.\(index)"]["\($0)"] } }
      .filter { !$0.isEmpty }
    tree = TaskTree(past.map { $0.map { Self.scaled($0, by: $0.norm()).values() } })
    pending = nil
    return plan.training(sets.last)
  }

  public func willBegin(_ experience: Experience, learner: Learner) {
    (state["present"], state["bandit"]) = ([:], [:])
  }

  public func compose(_ batch: Batch, at step: Step) -> Batch {
    // Here every process comes by, whatever it reads of the batch.
    if configuration.signature == .values { withoutGradient { look(factors.map(\.master), at: step) } }
    return batch
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard configuration.signature == .values, let chosen = pending?.chosen, !chosen.isEmpty else { return nil }
    let products = zip(factors, chosen).map { ($0.value.to(.float32) * $1).sum() }
    let product = products.dropFirst().reduce(products[0], +)
    let size = product.detached().abs() + 1e-5
    return product * (output.loss.detached() / size) * -strength(at: step)
  }

  public func willUpdate(_ parameters: [Parameter], at step: Step) {
    guard configuration.signature == .gradients else { return }
    withoutGradient {
      let gradients = factors.map { $0.gradient?.to(.float32) ?? Tensor.zeros($0.shape, device: $0.value.device) }
      look(gradients, at: step)
      for (factor, (gradient, chosen)) in zip(factors, zip(gradients, pending?.chosen ?? [])) {
        let pull = Self.scaled(chosen, by: chosen.norm()) * gradient.norm() * strength(at: step)
        factor.gradient?.add(pull.to(factor.value.dtype))
      }
    }
  }

  public func didUpdate(_ parameters: [Parameter], at step: Step) {
    guard let pending else { return }
    state["present"] = Self.named(pending.present)
    state["bandit"] = pending.bandit.tensors
    self.pending = nil
  }

  public func didEnd(_ experience: Experience, learner: Learner) {
    state["signature.\(experience.index)"] = state["present"]
    (state["present"], state["bandit"]) = ([:], [:])
  }

  /// Takes what the layers have now into the mean of the experience, and chooses an earlier one for each layer.
  private func look(_ values: [Tensor], at step: Step) {
    let before = state["present"]
    let present = values.enumerated().map { layer, value in
      before["\(layer)"].map { $0 + (value - $0) / Double(step.index + 1) } ?? value.clone()
    }
    var bandit = TaskBandit(state["bandit"], experiences: past.count, layers: values.count)
    guard !past.isEmpty, !values.isEmpty else { return pending = (present, [], bandit) }
    var random = step.generator("tree-lora")
    let choice = bandit.choose(tree, step: step.index, total: step.total, using: &random)
    let chosen = choice.enumerated().map { layer, experience in past[experience][layer] }
    bandit.learn(choice, distances: Tensor.stacked(zip(present, chosen).map(Self.distance)).values())
    pending = (present, chosen, bandit)
  }

  private func strength(at step: Step) -> Double {
    configuration.strength * Double(step.index) / Double(step.total)
  }

  /// ½‖x̂ − ŷ‖₁ of two signatures whose magnitudes are made to sum to 1: from 0 to 1.
  static func distance(_ x: Tensor, _ y: Tensor) -> Tensor {
    (scaled(x, by: x.norm(1)) - scaled(y, by: y.norm(1))).norm(1) / 2
  }

  /// x/size, zero where x is.
  private static func scaled(_ x: Tensor, by size: Tensor) -> Tensor {
    x / size.maximum(Tensor.full([], 1e-30, device: x.device))
  }

  private static func named(_ tensors: [Tensor]) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ("\($0)", $1) })
  }
}
