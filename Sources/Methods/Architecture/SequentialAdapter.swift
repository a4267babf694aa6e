import Adapters
public import Continual
import Evaluation
import Foundation
import NN
public import Streams
import Torch

/// One small adapter of another kind than LoRA, trained through all experiences beside the heads; the backbone is frozen.
///
/// `bottleneck`: y ← y + up(relu(down(y))) behind layers (Houlsby et al. 2019, §2.1, arXiv 1902.00751). `ia3`: learned
/// scales of keys, values and what the feed-forward part's last layer reads (Liu et al. 2022, §3.3, arXiv 2205.05638).
/// `prefix`: keys and values in front of the text in every attention layer, of an encoder-decoder in the decoder's
/// self-attention (Li & Liang 2021, §4, arXiv 2101.00190). `prompt`: vectors in front of the text (Lester et al. 2021, §2,
/// arXiv 2104.08691). Nothing protects what the adapter learned before; with LoRA this is `lora`.
/// Deviations: bottlenecks have no normalisation of their own and stand behind the layers' outputs alone; prefixes are
/// trained as they are, without the network that makes them there; classification heads train too.
/// With `from`, bottlenecks go on from those that a pre-training run kept beside a model: each experience from the one of its
/// place, or from the last one where there are fewer.
public final class SequentialAdapter: ContinualMethod {
  /// What trains.
  public enum Kind: String, Codable, Sendable, CaseIterable { case bottleneck, ia3, prefix, prompt }

  /// Houlsby's width for large models; a length beyond which Lester et al. gain little.
  public struct Configuration: ConfigurationSection {
    public var kind = Kind.bottleneck
    public var width = 64
    public var length = 20
    public var targets: [String] = []
    public var from = ""
    public init() {}
    public static let keys = [
      ConfigurationKey(
        "kind",
        "what trains: bottleneck (a small network behind layers), ia3 (scales), prefix (keys and values in front of the "
          + "text) or prompt (vectors in front of it)"),
      ConfigurationKey("width", "bottleneck: width of the hidden layer", allowed: .atLeast(1)),
      ConfigurationKey("length", "prefix, prompt: positions in front of the text", allowed: .atLeast(1)),
      ConfigurationKey(
        "targets",
        "bottleneck, ia3: ends of the names of the adapted layers, or all; empty for outputs (bottleneck) or keys, "
          + "values and outputs (ia3)"),
      ConfigurationKey(
        "from",
        "bottleneck: folder of a kept model with bottlenecks to go on from, whose layers and width count; empty for new ones"
      ),
    ]

    public var conflict: ConfigurationConflict? {
      if !from.isEmpty, kind != .bottleneck || !targets.isEmpty {
        return ConfigurationConflict(
          key: "from",
          reason: "bottlenecks that are gone on from have their own layers. Set kind: bottleneck and leave targets out."
        )
      }
      guard !targets.isEmpty, kind == .prefix || kind == .prompt else { return nil }
      return ConfigurationConflict(
        key: "targets",
        reason: "a \(kind.rawValue) is attached to no layers that could be named. Leave targets out, or set kind: "
          + "bottleneck or ia3.")
    }
  }

  public static let card = MethodCard(
    name: "adapter", summary: "one bottleneck, IA³, prefix or prompt through all experiences, the backbone frozen",
    family: .architecture,
    paper: Citation(
      "Houlsby et al., ICML 2019 (bottleneck); Liu et al., NeurIPS 2022 (ia3); Li & Liang, ACL 2021 (prefix); Lester et "
        + "al., EMNLP 2021 (prompt)",
      url: "https://arxiv.org/abs/1902.00751"), freezesModel: true)
  public var state = MethodState()
  public var isRecordable: Bool { true }
  private let configuration: Configuration
  private var adapters: AdapterSet?
  /// What each experience starts from, with `from`.
  private var starts: [BottleneckFile] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    guard adapters == nil else { return }
    let c = configuration, seed = learner.generator.derived("adapter").seed, store = learner.parameters
    if c.kind == .prefix || c.kind == .prompt {
      for other in learner.stream.experiences { try learner.checkRoom(forPrompt: c.length, in: other) }
    }
    switch c.kind {
    case .bottleneck where !c.from.isEmpty:
      starts = try BottleneckFile.kept(in: URL(fileURLWithPath: c.from))
      adapters = try starts[0].attach(index: 0, seed: seed, in: store)
    case .bottleneck: adapters = try AdapterSet(bottleneck: c.width, on: c.targets, index: 0, seed: seed, in: store)
    case .ia3: adapters = try AdapterSet(ia3: c.targets, index: 0, seed: seed, in: store)
    case .prefix: adapters = try AdapterSet(prefix: c.length, index: 0, seed: seed, in: store)
    case .prompt: adapters = try AdapterSet(prompt: c.length, index: 0, seed: seed, in: store)
    }
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(adapters)
  }

  public func willBegin(_ experience: Experience, learner: Learner) throws {
    guard let adapters, let last = starts.indices.last else { return }
    try starts[min(experience.index, last)].assign(to: adapters, in: learner.parameters)
  }
}
