import Adapters
public import Continual
import Evaluation
public import Foundation
public import NN
public import Streams
public import Torch

/// Parameter isolation and combination: one adapter trained for each experience on a frozen backbone, then all of
/// them added by task arithmetic into one model that needs no task label.
///
/// τ_i = Φ_i − Φ_pre, Φ = Φ_pre + λ·Σ τ_i, kept as a running sum. For LoRA in product space
/// τ_i = (α/r)·B_i·A_i and W = W_pre + λ·Σ τ_i. Heads stay apart and are not merged.
/// Source: Zeng, Li & Ayesh, ICIC 2025 (arXiv 2502.10966), from its abstract and equations: no code is published.
/// Deviations, all of them readings of what the text leaves open: product space for LoRA, λ from validation data
/// (task arithmetic's grid and 1/N, ties to the smaller), bottleneck adapters after the layers' outputs, adapter sizes.
public final class PIC: ContinualMethod {
  /// The adapter that trains.
  public enum Kind: String, Codable, Sendable, CaseIterable { case lora, bottleneck }
  /// Where an experience's adapter starts: at the common start, or where the one before ended.
  public enum Initialisation: String, Codable, Sendable, CaseIterable { case independent, sequential }
  /// What a task vector is measured from: the common start, or the experience's own.
  public enum Vectors: String, Codable, Sendable, CaseIterable { case total, increment }
  /// What is added up for LoRA: the products B·A, or A and B apart, which also makes cross terms B_i·A_j.
  public enum Space: String, Codable, Sendable, CaseIterable { case product, factor }
  /// Where λ comes from.
  public enum StrengthSource: String, Codable, Sendable, CaseIterable { case validation, fixed }

  /// Reasonable values where the paper gives none.
  public struct Configuration: ConfigurationSection {
    public var adapter = Kind.lora
    public var rank = 8
    public var alpha = 16.0
    public var dropout = 0.1
    public var width = 64
    public var targets: [String] = []
    public var initialisation = Initialisation.sequential
    public var vectors = Vectors.total
    public var space = Space.product
    public var strengthFrom = StrengthSource.validation
    public var strength = 0.3
    public init() {}
    public static let keys = [
      ConfigurationKey("adapter", "what trains in each experience: lora or bottleneck"),
      ConfigurationKey("rank", "lora: rank of the update of each layer", allowed: .atLeast(1)),
      ConfigurationKey("alpha", "lora: the update is multiplied by alpha / rank", allowed: .positive),
      ConfigurationKey("dropout", "lora: dropout on the adapter's input, in training", allowed: .halfOpenRange(0..<1)),
      ConfigurationKey("width", "bottleneck: width of the hidden layer", allowed: .atLeast(1)),
      ConfigurationKey(
        "targets",
        "ends of the names of the adapted layers, or all; empty for queries and values (lora) or outputs (bottleneck)"),
      ConfigurationKey(
        "initialisation", "where an adapter starts: independent (the common start) or sequential (the one before)"),
      ConfigurationKey("vectors", "what is added up: total (from the common start) or increment (from its own)"),
      ConfigurationKey("space", "lora: add up products B·A (product) or A and B apart (factor)"),
      ConfigurationKey(
        "strengthFrom",
        "validation (chosen after each experience on at most 500 validation examples of each so far) or fixed"),
      ConfigurationKey("strength", "fixed: factor of every task vector", allowed: .atLeast(0)),
    ]
    var isProduct: Bool { adapter == .lora && space == .product }
    var isTelescoping: Bool { vectors == .increment && initialisation == .sequential }
  }

  public static let card = MethodCard(
    name: "pic", summary: "isolated adapters, added by task arithmetic into one model", family: .architecture,
    paper: Citation(
      "Zeng, Li & Ayesh, Neural Networks Remember More: The Power of Parameter Isolation and Combination, ICIC 2025",
      url: "https://arxiv.org/abs/2502.10966"),
    requires: [.boundaries, .pastData],
    keeps: "the adapter's start, the sum of task vectors, one number; "
      + "with strengthFrom: validation it reads earlier validation splits", freezesModel: true)
  public var state = MethodState() { didSet { merged = nil } }
  private let configuration: Configuration
  private var adapters: AdapterSet?
  /// `mergedValues` in the compute dtype, made once for all batches of an evaluation.
  private var merged: [String: Tensor]?

  public init(_ configuration: Configuration, learner: Learner) { self.configuration = configuration }

  /// The factor of the task vectors: as configured, or as last chosen.
  public var strength: Double { state.numbers["strength"] ?? configuration.strength }

  public func prepare(_ experience: Experience, learner: Learner) throws {
    guard adapters == nil else { return }
    let seed = learner.generator.derived("pic").seed, c = configuration
    switch c.adapter {
    case .lora:
      let lora = LoRA.Configuration(rank: c.rank, alpha: c.alpha, dropout: c.dropout)
      adapters = try AdapterSet(lora, on: c.targets, index: 0, seed: seed, in: learner.parameters)
    case .bottleneck:
      adapters = try AdapterSet(bottleneck: c.width, on: c.targets, index: 0, seed: seed, in: learner.parameters)
    }
  }

  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    plan.training(adapters)
  }

  public func willBegin(_ experience: Experience, learner: Learner) throws {
    if configuration.strengthFrom == .validation, learner.data(of: experience).validation.isEmpty {
      throw PICError.noValidation(experience: experience.name)
    }
    if state["start"].isEmpty { state["start"] = adapters?.snapshot() ?? [:] }
    if configuration.initialisation == .independent { learner.parameters.restore(state["start"]) }
  }

  public func didEnd(_ experience: Experience, learner: Learner) throws {
    // The increments of a sequential chain add up to the last total.
    state["sum"] = (configuration.isTelescoping ? vector : TaskVector(state["sum"]) + vector).tensors
    state.numbers["strength"] = configuration.strength
    if configuration.strengthFrom == .validation { try chooseStrength(learner) }
  }

  /// Predictions go through the merged model.
  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    guard let adapters else { return try body() }
    let values = merged ?? convert(mergedValues(in: learner.parameters), for: learner.parameters)
    merged = values
    guard configuration.isProduct else { return try learner.parameters.withValues(values, body) }
    return try adapters.disabled { try learner.parameters.withValues(values, body) }
  }

  /// The merged model, float32: in product space the weights of the adapted layers, which then need no adapter,
  /// else the values of the one merged adapter.
  public func mergedValues(in store: ParameterStore) -> [String: Tensor] {
    let sum = TaskVector(state["sum"])
    let weights = sum.tensors.keys.reduce(into: [String: Tensor]()) { $0[$1] = store[$1]?.master }
    let base = configuration.isProduct ? weights : state["start"]
    return TaskArithmetic(strength: strength).combine([sum]).added(to: base)
  }

  /// Φ − Φ_pre of the adapter as it stands; its start has no product, for B is zero there.
  private var vector: TaskVector {
    guard let adapters else { return TaskVector() }
    guard configuration.isProduct else { return TaskVector(from: state["start"], to: adapters.snapshot()) }
    return TaskVector(Dictionary(uniqueKeysWithValues: adapters.loras.map { ($0.weight.name, $0.product) }))
  }

  private func convert(_ values: [String: Tensor], for store: ParameterStore) -> [String: Tensor] {
    withoutGradient {
      values.reduce(into: [:]) { $0[$1.key] = $1.value.to(store[$1.key]?.value.dtype) }
    }
  }

  private func chooseStrength(_ learner: Learner) throws {
    let settings = learner.evaluation
    // All of a split where the trainer measures none of it.
    let most = settings.validation > 0 ? settings.validation : Int.max
    let splits = learner.seen.map { Array(learner.data(of: $0).validation.prefix(most)) }
    let grid = Set((1...10).map { Double($0) / 10 } + [1 / Double(splits.count)]).sorted()
    var best: (strength: Double, accuracy: Double)?
    for candidate in grid {
      try learner.pause()
      state.numbers["strength"] = candidate
      let accuracies = try splits.map { try learner.evaluate($0, methods: [self], settings: settings).accuracy ?? 0 }
      let accuracy = accuracies.reduce(0, +) / Double(accuracies.count)
      if best.map({ accuracy > $0.accuracy }) ?? true { best = (candidate, accuracy) }
    }
    state.numbers["strength"] = best?.strength
  }
}

/// A stream on which PIC cannot choose its strength.
public enum PICError: LocalizedError, CustomStringConvertible, Equatable {
  case noValidation(experience: String)

  public var description: String {
    switch self {
    case .noValidation(let experience):
      "pic chooses its strength on validation data, and experience '\(experience)' has none. "
        + "Give the stream a validation split, or set strengthFrom: fixed and a strength."
    }
  }
  public var errorDescription: String? { description }
}
