import Adapters
import Continual
public import Foundation
import Models
import NN
import Torch

/// Which output rows of each linear layer every experience of a run changed most, and how many of them any two
/// experiences have in common.
///
/// MIGU's authors explain their method by it: tasks that update the same rows overwrite one another (Du et al., EMNLP 2024
/// Findings, arXiv 2406.17245, figure of overlapping updates). A row's change is Σ|after − before| over its weights; its
/// experience's rows are the `share` that changed most. Rows chosen at random would overlap by `share`.
public struct Overlap: Codable, Sendable {
  public struct Layer: Codable, Sendable {
    public let name: String
    /// How many rows it has, and how many of them count as an experience's own.
    public let rows: Int
    public let kept: Int
    /// By experience, then by experience: the part of the kept rows that both have, 0 to 1; nil where one left the layer as it was.
    public let shared: [[Double?]]
  }

  public let experiences: [String]
  /// Which part of a layer's rows counts, 0 to 1.
  public let share: Double
  /// Layers that at least two experiences changed; heads and word embeddings are left out.
  public let layers: [Layer]

  /// The mean over the layers, by experience, then by experience; nil where no layer was changed by both.
  public var mean: [[Double?]] {
    experiences.indices.map { first in
      experiences.indices.map { second in
        let known = layers.compactMap { $0.shared[first][second] }
        return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
      }
    }
  }

  /// The mean of `mean` over pairs of different experiences.
  public var total: Double? {
    let pairs = mean.enumerated().flatMap { $1[($0 + 1)...].compactMap { $0 } }
    return pairs.isEmpty ? nil : pairs.reduce(0, +) / Double(pairs.count)
  }

  /// Compares the models that a run kept, each with the one before it, the first with the one that the run started from.
  /// - Parameters:
  ///   - run: a finished run that kept its models.
  ///   - share: which part of a layer's rows counts as an experience's own, above 0 and below 1.
  ///   - endings: ends of the names of the layers that are looked at; empty for all.
  ///   - places: where models lie.
  /// - Throws: `OverlapError`, `RunError.noKeptModel`, `AdapterError.noTarget`, and what reading a model throws.
  public static func of(_ run: URL, share: Double = 0.3, layers endings: [String] = [], places: Places) throws
    -> Overlap
  {
    precondition(share > 0 && share < 1, "Overlap: a share of \(share)")
    let directory = RunDirectory(run)
    guard directory.exists else { throw RunError.notARun(run) }
    let recipe = try Recipe(file: directory.recipe)
    let kept = try directory.keptModels()
    // A model that was drawn anew lies nowhere, so what its first experience changed is not known.
    let start = recipe.model.startsFresh ? [] : [try places.model(recipe.model.name)]
    let models = start + kept.map(\.place), experiences = kept.map(\.after).suffix(models.count - 1)
    guard experiences.count > 1 else { throw OverlapError.tooFew(run.relativePath) }
    var weights = try Self.weights(of: models[0], recipe, endings)
    var own: [String: [Set<Int>?]] = [:]
    for model in models.dropFirst() {
      let after = try Self.weights(of: model, recipe, endings)
      for (name, weight) in after {
        own[name, default: []].append(weights[name].flatMap { rows(from: $0, to: weight, share: share) })
      }
      weights = after
    }
    let layers = own.compactMap { name, sets -> Layer? in
      guard sets.count(where: { $0 != nil }) > 1, let weight = weights[name] else { return nil }
      let count = keptRows(weight.shape[0], share)
      let shared = sets.map { first in
        sets.map { second in
          first.flatMap { rows in second.map { Double(rows.intersection($0).count) / Double(count) } }
        }
      }
      return Layer(name: name, rows: weight.shape[0], kept: count, shared: shared)
    }
    // Joint training changes everything in one experience.
    guard !layers.isEmpty else { throw OverlapError.tooFew(run.relativePath) }
    return Overlap(
      experiences: Array(experiences), share: share,
      layers: layers.sorted { $0.name.localizedStandardCompare($1.name) == .orderedAscending })
  }

  /// The weights `[outputs, inputs]` of a model's linear layers, by name, float32.
  private static func weights(of model: URL, _ recipe: Recipe, _ endings: [String]) throws -> [String: Tensor] {
    var own = recipe
    own.model.startsFresh = false
    own.training.precision = .fp32
    let store = try Session.model(own, model, .cpu).parameters
    let layers = try Targets.linears(endings.isEmpty ? ["all"] : endings, key: "--layers", in: store)
    return Dictionary(uniqueKeysWithValues: layers.map { ($0.name, $0.weight.master) })
  }

  private static func keptRows(_ count: Int, _ share: Double) -> Int { max(1, Int((share * Double(count)).rounded())) }

  /// The rows that changed most; nil where none did.
  private static func rows(from before: Tensor, to after: Tensor, share: Double) -> Set<Int>? {
    let changes = withoutGradient { (after - before).norm(1, over: [1]).values() }
    guard changes.contains(where: { $0 > 0 }) else { return nil }
    return Set(changes.indices.sorted { changes[$0] > changes[$1] }.prefix(keptRows(changes.count, share)))
  }

  /// A table for people, in percent.
  public var text: String {
    let mean = mean
    let cell = { (value: Double?) in value.map { String(format: "%.0f", 100 * $0) } ?? "–" }
    let rows = experiences.indices.map { first in
      [experiences[first]] + experiences.indices.map { $0 == first ? "" : cell(mean[first][$0]) }
    }
    let whole = total.map { String(format: "%.1f", 100 * $0) } ?? "–"
    return """
      \(Output.table([["shared rows, %"] + experiences] + rows))
      mean of the pairs \(whole) over \(layers.count) layers; rows drawn at random: \(String(format: "%.1f", 100 * share))
      """
  }
}

/// A run whose experiences cannot be compared by what they changed.
public enum OverlapError: LocalizedError, CustomStringConvertible, Equatable {
  case tooFew(String)

  public var description: String {
    switch self {
    case .tooFew(let run):
      "\(run) has fewer than two experiences whose changes are known. Overlap is between experiences of one run, and that of "
        + "a model drawn anew begins with its second."
    }
  }
  public var errorDescription: String? { description }
}
