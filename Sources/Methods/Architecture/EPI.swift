import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
import Torch

/// A low-rank adapter of its own for each experience; a text gets that of the experience whose texts it is most like.
///
/// y = x·Wᵀ + (α/r)·dropout(x)·A_kᵀ·B_kᵀ; in experience k the adapter k and the heads train, and no other takes part.
/// Where predictions are told their experience, k is it. Elsewhere k = argmin_j min_c (h − μ_jc)ᵀ·Σ⁺·(h − μ_jc) for the
/// vector h that the model without adapters makes of the text (`NearestGaussian`), and the text's class is one of
/// experience k, in training too. Before an experience has ended all texts get the newest adapter.
/// Source: Wang et al., ACL 2023, §3; Dicer-Zz/EPI at 8e1e166, `model/epi.py`, `trainers/epi.py`.
/// Deviations: LoRA, where the paper has prefixes; the last adapter is kept rather than the best on validation data; a
/// class of one text adds nothing to the covariance (the code gets NaN); texts with free answers are one class; a language
/// model that is not told its experience chooses among the answers of all. Heads of shared classes go on training in later
/// experiences: told its experience, a prediction reads the heads that were kept of it, not told, those of now.
public final class EPI: ContinualMethod {
  public typealias Configuration = SequentialLoRA.Configuration
  public static let card = MethodCard(
    name: "epi", summary: "a low-rank adapter of its own for each experience, found by the text where it is not told",
    family: .architecture,
    paper: Citation(
      "Wang et al., Rehearsal-free Continual Language Learning via Efficient Parameter Isolation, ACL 2023",
      url: "https://aclanthology.org/2023.acl-long.612"),
    requires: .boundaries,
    keeps: "one adapter and the mean vector of each class per experience, one covariance, told the task its heads",
    freezesModel: true)
  public var state = MethodState() { didSet { known = nil } }
  private let configuration: Configuration
  private var sets: [AdapterSet] = []
  private(set) var choices: [LoRAChoice] = []
  private var reader = Reader.newest
  /// Made of the state once for all predictions.
  private var known: NearestGaussian?

  /// Whose adapter a pass reads.
  private enum Reader {
    /// The newest experience's, in training.
    case newest
    /// That of one experience.
    case one(Int)
    /// Each text's own, which is not known yet.
    case unknown
    /// Each text's own: int64 `[rows, 1]`, and all that stand in it.
    case each(Tensor, Set<Int>)
  }

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    let layers = try Targets.rowLinears(configuration.targets, in: learner.parameters)
    if choices.isEmpty {
      choices = layers.map { layer in LoRAChoice(on: layer) { [unowned self] in chosen(for: $0, $1) } }
    }
    let set = try AdapterSet(
      configuration.lora, on: layers.map(\.name), index: sets.count,
      seed: learner.generator.derived("lora").seed, in: learner.parameters)
    set.move(into: choices, on: layers)
    sets.append(set)
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(sets.last)
  }

  public func willForward(_ batch: inout DeviceBatch, learner: Learner) {
    guard !sets.isEmpty else { return }
    switch reader {
    case .one: return
    case .newest: batch.narrow(to: batch.experiences, learner)
    case .unknown, .each:
      guard let gaussians = gaussians() else { return }
      let found = gaussians.choose(for: choices.frozenFeatures(batch, learner.representer))
      let column = Tensor(found.map(Int64.init), shape: [found.count, 1], device: batch.device)
      reader = .each(column, Set(found))
      batch.narrow(to: found, learner)
    }
  }

  public func didEnd(_ experience: Experience, learner: Learner) throws {
    let texts = learner.data(of: experience).train
    if learner.knowsTaskAtTest { state.keepHeads(of: experience, learner) }
    guard !texts.isEmpty else { return }
    let vectors = try stride(from: 0, to: texts.count, by: 32).map { start in
      try learner.pause()
      let batch = learner.posed(Batch(Array(texts[start..<min(start + 32, texts.count)])))
      return choices.frozenFeatures(learner.deviceBatch(batch), learner.representer).to(device: .cpu)
    }
    NearestGaussian.add(
      .concatenated(vectors), classes: texts.map(\.target), experience: experience.index, to: &state)
  }

  /// An experience still to come gets the newest adapter.
  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    guard !sets.isEmpty else { return try body() }
    let before = reader
    defer { reader = before }
    if let experience {
      reader = .one(min(experience, sets.count - 1))
      return try state.withHeads(of: experience, learner, body)
    }
    reader = gaussians() == nil ? .one(sets.count - 1) : .unknown
    return try body()
  }

  private func gaussians() -> NearestGaussian? {
    known = known ?? NearestGaussian(state)
    return known
  }

  /// The adapters that a layer's input goes through, each with where.
  private func chosen(for x: Tensor, _ mode: Mode) -> [(index: Int, rows: Tensor?)] {
    switch reader {
    case .newest: return [(sets.count - 1, nil)]
    case .one(let experience): return [(experience, nil)]
    case .unknown: preconditionFailure("epi: a forward pass was not announced by willForward")
    case .each(let column, let found):
      guard found.count > 1 else { return found.map { ($0, nil) } }
      let places = column.spread(over: x, mode)
      return found.sorted().map {
        ($0, places .== Tensor.full([1], Double($0), dtype: .int64, device: places.device))
      }
    }
  }
}
