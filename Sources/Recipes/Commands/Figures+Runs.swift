import Continual
import Evaluation
public import Foundation

extension Figures {
  /// The figures of finished runs by the recipes of a folder, and notes on runs that belong to none of them.
  ///
  /// A run belongs to the recipe with its settings; where there is none, to the one of its methods whose name is in its
  /// path, as `Tools/sweep` lays runs out, and what differs is listed.
  static func make(_ runs: [RunRecord], recipes folder: URL) throws -> (figures: Figures, notes: [String]) {
    let recipes = try RecipeMatch.recipes(in: folder)
    var matched: [RecipeMatch: [RunRecord]] = [:], order: [RecipeMatch] = [], notes: [String] = []
    for run in runs where run.matrix.isComplete {
      guard let match = RecipeMatch(run, among: recipes) else {
        notes.append("left out of the figures, no recipe in \(folder.relativePath) is like it: \(run.id)")
        continue
      }
      if matched[match] == nil { order.append(match) }
      matched[match, default: []].append(run)
    }
    guard !order.isEmpty else { throw FiguresError.noMatch(folder: folder.relativePath) }
    let sorted = order.sorted { ($0.recipe, $0.changed.count) < ($1.recipe, $1.changed.count) }
    return (Figures(rows: sorted.flatMap { rows(of: $0, matched[$0] ?? []) }), notes)
  }

  /// These with the rows of `earlier` for recipes that are still there and have none here.
  func keeping(_ earlier: Figures, recipes: Set<String>) -> Figures {
    let renewed = Set(rows.map(\.recipe))
    let kept = earlier.rows.filter { recipes.contains($0.recipe) && !renewed.contains($0.recipe) }
    return Figures(rows: (kept + rows).enumerated().sorted { ($0.1.recipe, $0.0) < ($1.1.recipe, $1.0) }.map(\.1))
  }

  private static func rows(of match: RecipeMatch, _ runs: [RunRecord]) -> [Row] {
    let groups = RunGroup.groups(of: runs)
    let singles = groups.map { row(of: match, [$0]) }.sorted { $0.orders.lexicographicallyPrecedes($1.orders) }
    return groups.count > 1 ? [row(of: match, groups)] + singles : singles
  }

  /// One row over the orders of some groups: for each seed its mean over the orders, then mean and deviation over seeds.
  private static func row(of match: RecipeMatch, _ groups: [RunGroup]) -> Row {
    let metric = { (metric: Metric) in value(groups) { $0.metrics[metric.id] } }
    let loss = { (metric: Metric) in value(groups) { $0.loss.flatMap { metric.compute($0) } } }
    let rates = groups.compactMap(\.learningRate)
    let shared = seeds(sharedBy: groups)
    return Row(
      recipe: match.recipe, orders: groups.compactMap { $0.runs.first.map(RecipeMatch.order) }.sorted(),
      learningRates: Set(rates).count == 1 ? Array(rates.prefix(1)) : rates,
      rateChosenBy: [.test, .validation].first { choice in groups.contains { $0.choice == choice } } ?? .single,
      seeds: shared.isEmpty ? Set(groups.flatMap(\.runs).map(\.seed)).sorted() : shared,
      accuracy: metric(.finalAccuracy), learningAccuracy: metric(.learningAccuracy), forgetting: metric(.forgetting),
      loss: loss(.finalAccuracy), lossRise: loss(.backwardTransfer), changed: match.changed)
  }

  private static func seeds(sharedBy groups: [RunGroup]) -> [Int] {
    let each = groups.map { Set($0.runs.map(\.seed)) }
    return each.reduce(each.first ?? []) { $0.intersection($1) }.sorted()
  }

  /// Over the seeds that all orders have; where there is none (orders drawn by the seed), over the orders.
  private static func value(_ groups: [RunGroup], _ value: (RunRecord) -> Double?) -> Value? {
    let shared = seeds(sharedBy: groups)
    guard !shared.isEmpty else { return Value(Summary(groups.compactMap { mean($0.runs.compactMap(value)) })) }
    return Value(
      Summary(
        shared.compactMap { seed in
          let each = groups.map { group in mean(group.runs.filter { $0.seed == seed }.compactMap(value)) }
          return each.contains(nil) ? nil : mean(each.compactMap { $0 })
        }))
  }

  private static func mean(_ values: [Double]) -> Double? { Summary(values)?.mean }
}

/// Figures that cannot be written.
public enum FiguresError: LocalizedError, CustomStringConvertible, Equatable {
  case noRecipes(folder: String)
  case noMatch(folder: String)

  public var description: String {
    switch self {
    case .noRecipes(let folder):
      "there is no recipe in \(folder). Figures stand beside the recipes of their runs: --figures Recipes/FOLDER/figures.json"
    case .noMatch(let folder):
      "no finished run is of a recipe in \(folder). Name the folder of their recipes: --figures Recipes/FOLDER/figures.json"
    }
  }
  public var errorDescription: String? { description }
}
