import Adapters
public import Continual
import Evaluation
public import NN
public import Streams
import Torch

/// Magnitude-based gradient updating: after the first experience, each linear layer keeps the gradient only of the
/// output rows with the largest activation magnitude. No old data, no task label, nothing stored.
///
/// For a weight `[outputs, inputs]` whose layer gave o over the tokens of the update's batch: s = Σ|o|, θ = the T-quantile of s with linear interpolation, gradient row i ← 0 where s_i < θ.
/// Biases, normalisation weights and embeddings always train; classification heads do too (a fresh head has no magnitudes
/// to speak of). A head that is the word embeddings masks their whole gradient, that of the input's side included. With LoRA, A is ranked by its own activations and B by the wrapped layer's combined output.
/// Source: Du et al., EMNLP 2024 Findings, §3 (arXiv 2406.17245); wenyudu/MIGU at 3f3b9f0, `src/accelerate_local.py`.
/// Deviations: the L1 normalisation of the paper cannot change a mask and is left out. The paper's code sums over padding
/// too, whose amount depends on which texts share a batch; here that is so with `countPadding`, and in answers of an
/// encoder-decoder. Of scores that equal θ, all of which are kept, an accelerator keeps the first ones, as many as the
/// quantile keeps of different scores.
public final class MIGU: ContinualMethod {
  public enum Score: String, Codable, Sendable, CaseIterable {
    /// |activation|: the method.
    case activation
    /// Rows drawn at random, the paper's control.
    case random
    /// |gradient| and |weight| of the row: the paper's table 11.
    case gradient, weight
  }

  public struct Configuration: ConfigurationSection {
    public var threshold = 0.7
    public var score = Score.activation
    public var lazy = false
    public var maskHeads = false
    public var maskTiedHead = true
    public var countPadding = false
    public var layers: [String] = []
    public var fromFirst = false
    public init() {}
    public static let keys = [
      ConfigurationKey(
        "threshold", "share of the rows of each layer that is masked in an update", allowed: .halfOpenRange(0..<1)),
      ConfigurationKey("score", "what ranks the rows: activation (MIGU), random, gradient or weight (its controls)"),
      ConfigurationKey(
        "lazy",
        "the optimizer leaves masked rows alone, their moments too, where the paper's still moves them by momentum and "
          + "weight decay; faster; adamw and adam"),
      ConfigurationKey("maskHeads", "mask the classification heads too"),
      ConfigurationKey(
        "maskTiedHead",
        "language models whose head is the word embeddings: mask these rows by the head's activations, as the paper's code"
      ),
      ConfigurationKey(
        "countPadding",
        "sum the activations of padding too, as the paper's code; on the CPU that takes the time that padding takes"
      ),
      ConfigurationKey(
        "layers",
        "ends of the names of the backbone's layers that are masked, or all; empty for these and the heads named above"
      ),
      ConfigurationKey(
        "fromFirst",
        "mask in the first experience too: where the old task is what a pretrained model can do (instruction tuning)"),
    ]
  }

  public static let card = MethodCard(
    name: "migu", summary: "update only the rows with the largest activations, from the second experience on",
    family: .architecture,
    paper: Citation(
      "Du et al., Unlocking Continual Learning Abilities in Language Models, EMNLP 2024 Findings",
      url: "https://arxiv.org/abs/2406.17245"),
    requires: .boundaries)
  public var state = MethodState()
  // Drawn rows come from the program.
  public var isRecordable: Bool { configuration.score != .random }
  private let configuration: Configuration
  /// Names of the layers that are masked; nil for all.
  private var layers: Set<String>?
  private var rows: [RowWeight] = []
  /// The layers of `rows` whose weights' gradients need not be computed where they are masked, by the weight's name.
  private var sparse: [String: Linear] = [:]
  /// The rows of an update, where they were known before its backward pass.
  private var known: [String: Rows] = [:]

  /// The rows of a weight, int64 on its device.
  private struct Rows { let kept: Tensor, masked: Tensor }

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    guard !configuration.layers.isEmpty else { return }
    layers = Set(try Targets.linears(configuration.layers, key: "layers", in: learner.parameters).map(\.name))
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    for row in rows { row.tap.isRecording = false }
    for layer in sparse.values { layer.keptRows = nil }
    (rows, sparse) = ([], [:])
    guard experience.index > 0 || configuration.fromFirst else { return plan }
    let linears = learner.parameters.linears.filter { layer in
      layers?.contains(layer.name) ?? (configuration.maskTiedHead || !layer.isTied)
    }
    rows = linears.flatMap(\.rowWeights).filter { row in
      plan.isTrained(row.parameter) && (configuration.maskHeads || row.parameter.role != .head)
    }
    for row in rows {
      row.tap.reset()
      row.tap.isRecording = configuration.score == .activation
    }
    let names = Set(rows.map(\.parameter.name))
    for linear in linears where names.contains(linear.weight.name) {
      linear.keptRows = KeptRows(device: learner.device)
      sparse[linear.weight.name] = linear
    }
    var plan = plan
    if configuration.countPadding { plan.keepsPadding = true }
    return plan
  }

  /// Where one batch makes the update, the masks follow from its forward pass, and masked rows need no gradient.
  public func willBackpropagate(isWhole: Bool, at step: Step) throws {
    guard isWhole, configuration.score != .gradient else { return }
    var random = step.generator("migu")
    for (row, magnitude) in zip(rows, try magnitudes(step.learner)) {
      guard let chosen = chosen(row, magnitude, nil, &random) else { continue }
      let name = row.parameter.name
      known[name] = chosen
      sparse[name]?.keptRows?.keep(chosen.kept)
    }
  }

  public func willUpdate(_ parameters: [Parameter], at step: Step) throws {
    guard !rows.isEmpty else { return }
    var random = step.generator("migu")
    let magnitudes = try known.isEmpty ? magnitudes(step.learner) : rows.map { _ in nil }
    withoutGradient {
      for (row, magnitude) in zip(rows, magnitudes) {
        guard let gradient = row.parameter.gradient else { continue }
        guard let chosen = known[row.parameter.name] ?? chosen(row, magnitude, gradient, &random) else { continue }
        // Penalties have gradients in all rows.
        gradient.fill(0, at: chosen.masked, dimension: 0)
        if configuration.lazy { row.parameter.updatedRows = chosen.kept }
      }
    }
    for row in rows { row.tap.reset() }
    for layer in sparse.values { layer.keptRows?.keepAll() }
    known = [:]
  }

  public func didUpdate(_ parameters: [Parameter], at step: Step) {
    for row in rows { row.parameter.updatedRows = nil }
  }

  /// Σ|o| of the layers over the update's batch, whichever process read its rows; nil for a layer that none ran.
  private func magnitudes(_ learner: Learner) throws -> [Tensor?] {
    guard configuration.score == .activation else { return rows.map { _ in nil } }
    guard learner.processes != nil else { return rows.map(\.tap.magnitude) }
    let own = rows.map { $0.tap.magnitude ?? .zeros([$0.parameter.shape[0]], device: learner.device) }
    guard !own.isEmpty else { return [] }
    let sums = try learner.summed(.concatenated(own))
    var start = 0
    return own.map { part in
      defer { start += part.count }
      return sums.narrowed(0, start..<start + part.count)
    }
  }

  /// `gradient` is nil before it is known.
  private func chosen(
    _ row: RowWeight, _ magnitude: Tensor?, _ gradient: Tensor?, _ random: inout Generator
  ) -> Rows? {
    let count = row.parameter.shape[0], device = row.parameter.value.device
    let scores: Tensor?
    switch configuration.score {
    case .activation: scores = magnitude
    case .gradient: scores = gradient.map(Self.rowSums)
    case .weight: scores = Self.rowSums(row.parameter.master)
    case .random:
      let frozen = Set(Array(0..<count).permuted(using: &random).prefix(Int(configuration.threshold * Double(count))))
      return Self.rows((0..<count).map(frozen.contains), device)
    }
    guard let scores else { return nil }
    guard device.runsBehind else {
      return Self.rows(Self.mask(scores.values(), threshold: configuration.threshold), device)
    }
    // Nothing is waited for where how many are kept is known beforehand: where scores are equal at the threshold, an
    // accelerator keeps the first of them only.
    let kept = Self.keptCount(of: count, threshold: configuration.threshold)
    let order = scores.sorted(0, descending: true).indices
    return Rows(kept: order.narrowed(0, 0..<kept), masked: order.narrowed(0, kept..<count))
  }

  private static func rows(_ isMasked: [Bool], _ device: Device) -> Rows {
    var kept: [Int64] = [], masked: [Int64] = []
    for (row, isMasked) in isMasked.enumerated() {
      if isMasked { masked.append(Int64(row)) } else { kept.append(Int64(row)) }
    }
    return Rows(kept: Tensor(kept, device: device), masked: Tensor(masked, device: device))
  }

  /// How many of `count` different scores `mask` keeps: n − ⌈T·(n−1)⌉.
  static func keptCount(of count: Int, threshold: Double) -> Int {
    guard count > 1, threshold > 0 else { return count }
    let position = threshold * Double(count - 1), nearest = position.rounded()
    return count - Int(abs(position - nearest) < 1e-6 ? nearest : position.rounded(.up))
  }

  private static func rowSums(_ matrix: Tensor) -> Tensor { matrix.norm(1, over: Array(1..<matrix.rank)) }

  /// True for the rows that are masked: those below the `threshold`-quantile, ties at it being kept.
  /// The quantile interpolates at p = T·(n−1); where p is an integer in exact arithmetic the element itself is taken.
  public static func mask(_ scores: [Float], threshold: Double) -> [Bool] {
    guard scores.count > 1, threshold > 0 else { return scores.map { _ in false } }
    var ranked = scores
    let position = threshold * Double(scores.count - 1), nearest = position.rounded()
    let cut: Double
    if abs(position - nearest) < 1e-6 {
      cut = Double(ranked.select(Int(nearest)))
    } else {
      let low = Int(position), lower = ranked.select(low), upper = ranked[(low + 1)...].min() ?? lower
      cut = Double(lower) + (position - Double(low)) * (Double(upper) - Double(lower))
    }
    return scores.map { Double($0) < cut }
  }
}
