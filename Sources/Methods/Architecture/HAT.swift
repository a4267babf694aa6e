import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Hard attention to the task: bottlenecks whose units each experience gates, and what earlier ones use does not move.
///
/// Unit i of a layer has the gate a_i = σ(s·e_i), where e is the experience's own embedding and s rises from 1/s_max to s_max
/// along its updates; predictions have s_max. The gradient of the weight from unit j to unit i is multiplied by 1 −
/// min(a_i, a_j), the largest gates of earlier experiences, that of a bias by 1 − a_i; what reads the frozen backbone counts
/// as used. Embeddings' gradients are multiplied by s_max·(cosh(s·e) + 1) / (s·(cosh(e) + 1)). Loss + c · Σ a·(1 − a_before)
/// / Σ (1 − a_before), so that experiences use few units. Weight decay moves what is in use too: leave it 0.
/// Source: Serrà et al., ICML 2018, §2 (arXiv 1801.01423); in bottlenecks as UIC-Liu-Lab/ContinualLM at 57e498c,
/// `networks/baselines/hat.py`, `approaches/compute_gradient.py`, with its bounds of s·e (50) and e (6).
/// Deviations: s rises along all updates of an experience, where the paper begins anew each epoch; the second gate stands
/// behind the bottleneck's last layer, where ContinualLM puts one behind each layer of two; classification heads train too.
public final class HAT: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var width = 64
    public var targets: [String] = []
    public var maxScale = 400.0
    public var sparsity = 0.75
    public init() {}
    public static let keys = [
      ConfigurationKey("width", "width of the bottlenecks' hidden layer", allowed: .atLeast(1)),
      ConfigurationKey("targets", "ends of the names of the adapted layers, or all; empty for outputs"),
      ConfigurationKey("maxScale", "s_max, how hard the gates become", allowed: .atLeast(1)),
      ConfigurationKey("sparsity", "weight c of the units in use", allowed: .atLeast(0)),
    ]
  }

  public static let card = MethodCard(
    name: "hat", summary: "bottlenecks whose units each experience gates; what earlier ones use is frozen",
    family: .architecture,
    paper: Citation(
      "Serrà et al., Overcoming Catastrophic Forgetting with Hard Attention to the Task, ICML 2018",
      url: "https://arxiv.org/abs/1801.01423"),
    requires: [.taskLabelAtTest, .boundaries],
    keeps: "one number for each unit and experience, and their largest gates",
    freezesModel: true)
  public var state = MethodState()
  private let configuration: Configuration
  private var adapters: AdapterSet?
  /// By experience and bottleneck, `[width]` and `[outputs]`.
  private(set) var embeddings: [[(hidden: Parameter, output: Parameter)]] = []
  /// s of the update that runs.
  private var scale = 1.0
  private var isPredicting = false

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    let set =
      try adapters
      ?? AdapterSet(
        bottleneck: configuration.width, on: configuration.targets, index: 0,
        seed: learner.generator.derived("adapter").seed, in: learner.parameters)
    adapters = set
    embeddings.append(
      set.bottlenecks.map { bottleneck in
        let scope = Scope(adaptersOf: learner, like: bottleneck.down) / "hat" / embeddings.count
        func embedding(of weight: Parameter) -> Parameter {
          scope.parameter(weight.name, [weight.shape[0]], .normal(deviation: 1))
        }
        return (embedding(of: bottleneck.down), embedding(of: bottleneck.up))
      })
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    let own = embeddings.last?.flatMap { [$0.hidden, $0.output] } ?? []
    return plan.training(named: Set(((adapters?.parameters ?? []) + own).map(\.name)))
  }

  public func compose(_ batch: Batch, at step: Step) -> Batch {
    scale = Self.scale(at: step, of: configuration.maxScale)
    return batch
  }

  /// s rises evenly from 1/s_max to s_max.
  static func scale(at step: Step, of largest: Double) -> Double {
    1 / largest + (largest - 1 / largest) * Double(step.index) / Double(max(1, step.total - 1))
  }

  public func willForward(_ batch: inout DeviceBatch, learner: Learner) {
    if !isPredicting, let own = embeddings.last { open(own, scale) }
  }

  private func open(_ embeddings: [(hidden: Parameter, output: Parameter)], _ scale: Double) {
    for (bottleneck, own) in zip(adapters?.bottlenecks ?? [], embeddings) {
      let dtype = bottleneck.down.value.dtype
      bottleneck.gates = (Self.gate(own.hidden, scale).to(dtype), Self.gate(own.output, scale).to(dtype))
    }
  }

  /// σ(s·e), float32.
  static func gate(_ embedding: Parameter, _ scale: Double) -> Tensor {
    (embedding.value.to(.float32) * scale).sigmoid()
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    guard configuration.sparsity > 0 else { return nil }
    var used: [Tensor] = [], free = 0.0
    for (gate, before) in units(scale) {
      let left = before.map { -$0 + 1 }
      used.append((left.map { gate * $0 } ?? gate).sum())
      free += left?.sum().item() ?? Double(gate.count)
    }
    guard free > 0 else { return nil }
    return used.dropFirst().reduce(used[0], +) * (configuration.sparsity / free)
  }

  /// The gates of the newest experience, and the largest ones of those before it, in the order of the layers.
  private func units(_ scale: Double) -> [(gate: Tensor, before: Tensor?)] {
    zip(adapters?.bottlenecks ?? [], embeddings.last ?? []).flatMap { bottleneck, own in
      [
        (Self.gate(own.hidden, scale), state["used"][bottleneck.down.name]),
        (Self.gate(own.output, scale), state["used"][bottleneck.up.name]),
      ]
    }
  }

  public func willUpdate(_ parameters: [Parameter], at step: Step) {
    withoutGradient {
      for bottleneck in adapters?.bottlenecks ?? [] {
        guard let hidden = state["used"][bottleneck.down.name], let output = state["used"][bottleneck.up.name] else {
          continue
        }
        bottleneck.down.multiplyGradient(by: -hidden.unsqueezed(1) + 1)
        bottleneck.downBias.multiplyGradient(by: -hidden + 1)
        bottleneck.up.multiplyGradient(by: -output.unsqueezed(1).minimum(hidden.unsqueezed(0)) + 1)
        bottleneck.upBias.multiplyGradient(by: -output + 1)
      }
      for own in embeddings.last ?? [] {
        for embedding in [own.hidden, own.output] {
          let e = embedding.master
          let steepness = (Self.cosh((e * scale).clamped(-50...50)) + 1) / (Self.cosh(e) + 1)
          embedding.multiplyGradient(by: steepness * (configuration.maxScale / scale))
        }
      }
    }
  }

  private static func cosh(_ x: Tensor) -> Tensor { (x.exp() + (-x).exp()) / 2 }

  public func didUpdate(_ parameters: [Parameter], at step: Step) {
    for own in embeddings.last ?? [] {
      for embedding in [own.hidden, own.output] { embedding.assign(embedding.master.clamped(-6...6)) }
    }
    close()
  }

  public func didEnd(_ experience: Experience, learner: Learner) {
    withoutGradient {
      let names = adapters?.bottlenecks.flatMap { [$0.down.name, $0.up.name] } ?? []
      for (name, unit) in zip(names, units(configuration.maxScale)) {
        state["used"][name] = unit.before.map { unit.gate.maximum($0) } ?? unit.gate
      }
    }
  }

  /// An experience's predictions have its own gates, those of one that is still to come the newest.
  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    guard let newest = embeddings.indices.last else { return try body() }
    withoutGradient { open(embeddings[min(experience ?? newest, newest)], configuration.maxScale) }
    isPredicting = true
    defer {
      isPredicting = false
      close()
    }
    return try body()
  }

  private func close() { for bottleneck in adapters?.bottlenecks ?? [] { bottleneck.gates = nil } }
}
