public import Continual
import Evaluation
public import NN
public import Streams
public import Torch

/// Dark experience replay: earlier examples must be answered as they were, in outputs and in labels.
///
/// Loss + α · mean (z − h(x′))² + β · loss(x″, y″), where x′ and x″ are drawn from a reservoir, each as many as the batch
/// has rows, z are the outputs that were stored with x′, and h gives the present ones; β = 0 is DER. Outputs are the logits
/// of a classifier's heads, those of classes that are still to come too, or a language model's logits of the tokens it must
/// write. Where the model is pretrained, an example is stored with the tokens that were hidden of it, and its outputs are
/// the last hidden states at their places: logits over a vocabulary would be a hundred times as large.
/// Source: Buzzega et al., NeurIPS 2020, §3, eq. 6 (arXiv 2004.07211), as in aimagelab/mammoth, `models/derpp.py`; states in
/// place of logits as in UIC-Liu-Lab/ContinualLM at 57e498c, `approaches/compute_gradient.py`.
/// Deviations: outputs are stored as they are right after the update, without dropout, where mammoth stores those of the
/// training pass; the buffer is filled along the way, where ContinualLM fills it at the end of each domain, and of states it
/// compares those at all places. Processes that train together draw examples of their own.
public final class DERPP: ContinualMethod {
  public struct Configuration: ConfigurationSection {
    public var size = 200
    public var outputs = 0.5
    public var labels = 0.5
    public init() {}
    public static let keys = [
      ConfigurationKey("size", "examples in the buffer", allowed: .atLeast(1)),
      ConfigurationKey("outputs", "weight α of the stored outputs", allowed: .atLeast(0)),
      ConfigurationKey("labels", "weight β of the stored labels; 0 for DER", allowed: .atLeast(0)),
    ]
  }

  public static let card = MethodCard(
    name: "derpp", summary: "replay examples with the outputs that the model had on them", family: .replay,
    paper: Citation(
      "Buzzega et al., Dark Experience for General Continual Learning: a Strong, Simple Baseline, NeurIPS 2020",
      url: "https://arxiv.org/abs/2004.07211"),
    keeps: "a buffer of examples with the model's outputs on them")
  public var state: MethodState {
    get {
      var state = MethodState()
      buffer.save(in: &state)
      state["outputs"] = stored
      return state
    }
    set {
      buffer.restore(from: newValue)
      stored = newValue["outputs"]
    }
  }
  private let configuration: Configuration
  private var buffer: ReplayBuffer
  /// The outputs on each stored example, by its place: `[classes]`, `[tokens, vocabulary]` or `[tokens, width]`, float32.
  private var stored: [String: Tensor] = [:]
  private var current: [TokenizedExample] = []
  /// Micro-batches of the present update so far, which draw apart.
  private var parts = 0

  public init(_ configuration: Configuration, learner: Learner) {
    self.configuration = configuration
    buffer = ReplayBuffer(.reservoir(size: configuration.size))
  }

  public func compose(_ batch: Batch, at step: Step) -> Batch {
    (current, parts) = (batch.examples, 0)
    return batch
  }

  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    defer { parts += 1 }
    let learner = step.learner
    func drawn(_ purpose: String) -> (places: [Int], examples: [TokenizedExample], mode: Mode) {
      var random = step.ownGenerator("derpp.\(purpose).\(parts)")
      let places = buffer.drawPlaces(batch.rows, using: &random)
      return (places, places.map { buffer.examples[$0] }, .training(random.derived("dropout")))
    }
    var terms: [Tensor] = []
    if configuration.outputs > 0 {
      let (places, examples, mode) = drawn("outputs")
      let old = places.compactMap { stored["\($0)"] }
      if !old.isEmpty { terms.append(Self.distance(outputs(examples, learner, mode), old) * configuration.outputs) }
    }
    if configuration.labels > 0 {
      let (_, examples, mode) = drawn("labels")
      if !examples.isEmpty {
        terms.append(learner.model(learner.announced(Batch(examples)), mode).loss * configuration.labels)
      }
    }
    return terms.isEmpty ? nil : terms.dropFirst().reduce(terms[0], +)
  }

  public func didUpdate(_ parameters: [Parameter], at step: Step) {
    let learner = step.learner
    var random = step.generator("derpp.insert")
    // What is hidden of a text is stored with it.
    let asked = learner.posed(Batch(current), draw: step.generator("derpp.posed")).examples.filter {
      learner.model.answerLayout == .none || !$0.answer.isEmpty
    }
    var new: [Int: TokenizedExample] = [:]
    for example in asked { if let place = buffer.insert(example, using: &random) { new[place] = example } }
    let kept = new.sorted { $0.key < $1.key }
    current = []
    guard !kept.isEmpty else { return }
    let values = withoutGradient { outputs(kept.map(\.value), learner, .evaluation) }
    for ((place, _), value) in zip(kept, values) { stored["\(place)"] = value.detached().clone() }
  }

  /// The mean of (x − y)² over all entries of all pairs. Outputs may have become longer: a stream that goes on brings classes.
  static func distance(_ new: [Tensor], _ old: [Tensor]) -> Tensor {
    let squares = zip(new, old).map { new, old in
      let difference = new.narrowed(0, 0..<old.size(0)) - old
      return (difference * difference).sum()
    }
    return squares.dropFirst().reduce(squares[0], +) / Double(old.reduce(0) { $0 + $1.count })
  }

  /// What the model gives for each example, float32.
  private func outputs(_ examples: [TokenizedExample], _ learner: Learner, _ mode: Mode) -> [Tensor] {
    let batch = learner.announced(Batch(examples))
    if let model = learner.model as? any PredictsTokens {
      let isPretrained = learner.objective != nil
      let all = (isPretrained ? model.labelStates(batch, mode) : model.labelScores(batch, mode)).to(.float32)
      var end = 0
      return examples.map { example in
        end += example.answer.count
        return all.narrowed(0, end - example.answer.count..<end)
      }
    }
    let model = learner.classifier
    let logits = model.heads.logits(of: model.heads.classes, features: model.features(batch, mode))
    return examples.indices.map { logits.at(0, $0) }
  }
}
