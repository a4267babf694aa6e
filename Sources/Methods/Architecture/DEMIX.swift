import Adapters
public import Continual
import Evaluation
import NN
public import Streams
import Torch

/// One expert for each domain, a bottleneck that starts as a copy of the earlier one that reads the domain best.
///
/// The expert of an experience trains alone, the backbone is frozen; the task label picks the expert that predicts. Before
/// a new one trains, each earlier expert's loss is measured on the first texts of the new domain, and the least one's
/// weights are taken over.
/// Source: Gururangan et al., NAACL 2022, §2 and §5 (arXiv 2108.05036); bottlenecks for feed-forward layers as in
/// UIC-Liu-Lab/ContinualLM at 57e498c, `networks/baselines/demix.py`, which stops before it copies.
/// Deviations: experts are small modules behind the layers, where the paper has whole feed-forward layers; no mixture of
/// experts for texts whose domain nobody says; classification heads train too.
public final class DEMIX: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var width = 64
    public var targets: [String] = []
    public var examples = 200
    public init() {}
    public static let keys = [
      ConfigurationKey("width", "width of the experts' hidden layer", allowed: .atLeast(1)),
      ConfigurationKey("targets", "ends of the names of the adapted layers, or all; empty for outputs"),
      ConfigurationKey("examples", "training texts on which earlier experts are compared", allowed: .atLeast(1)),
    ]
  }

  public static let card = MethodCard(
    name: "demix", summary: "one bottleneck for each domain, begun as a copy of the nearest earlier one",
    family: .architecture,
    paper: Citation(
      "Gururangan et al., DEMix Layers: Disentangling Domains for Modular Language Modeling, NAACL 2022",
      url: "https://arxiv.org/abs/2108.05036"),
    requires: [.taskLabelAtTest, .boundaries], keeps: "one bottleneck on each layer per experience", freezesModel: true)
  /// `from.<experience>`: whose weights an expert began with.
  public var state = MethodState()
  private let configuration: Configuration
  private var sets: [AdapterSet] = []

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    sets.append(
      try AdapterSet(
        bottleneck: configuration.width, on: configuration.targets, index: sets.count,
        seed: learner.generator.derived("adapter").seed, in: learner.parameters))
    enable(sets.count - 1)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(sets.last)
  }

  public func willBegin(_ experience: Experience, learner: Learner) throws {
    let texts = Array(learner.data(of: experience).train.prefix(configuration.examples))
    var best: (place: Int, loss: Double)?
    for place in sets.indices.dropLast() {
      enable(place)
      let loss = try Self.loss(on: texts, learner)
      if loss < best?.loss ?? .infinity { best = (place, loss) }
    }
    enable(sets.count - 1)
    guard let best, let own = sets.last else { return }
    for (parameter, other) in zip(own.parameters, sets[best.place].parameters) { parameter.assign(other.master) }
    state.numbers["from.\(experience.index)"] = Double(best.place)
  }

  /// An experience's predictions have its own expert, those of one that is still to come the newest.
  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    guard let newest = sets.indices.last else { return try body() }
    enable(min(experience ?? newest, newest))
    defer { enable(newest) }
    return try body()
  }

  private func enable(_ place: Int) {
    for (index, set) in sets.enumerated() { for adapter in set.adapters { adapter.isEnabled = index == place } }
  }

  /// The mean loss of the tokens that a language model must write, or of a classifier's rows.
  private static func loss(on examples: [TokenizedExample], _ learner: Learner) throws -> Double {
    var sum = 0.0, count = 0
    for start in stride(from: 0, to: examples.count, by: 32) {
      try learner.pause()
      let rows = Batch(Array(examples[start..<min(start + 32, examples.count)]))
      let batch = learner.announced(learner.posed(rows))
      if let model = learner.model as? any PredictsTokens {
        let scores = inference { model.tokenScores(batch) }
        (sum, count) = (sum + scores.loss, count + scores.count)
      } else {
        let loss = inference { learner.model(batch, .evaluation).loss.item() }
        (sum, count) = (sum + loss * Double(rows.rows), count + rows.rows)
      }
    }
    return count > 0 ? sum / Double(count) : .infinity
  }
}
