public import Evaluation
import Foundation

/// Methods × metrics over seeds, and each method against the first of its stream: what `jay compare` prints.
public struct ComparisonTable: Codable, Sendable {
  /// One method.
  public struct Row: Codable, Sendable {
    /// Label of the method.
    public let method: String
    /// Learning rate quoted.
    public let learningRate: Double?
    /// How the rate was chosen: `single`, `validation` or `test`.
    public let rateChosenBy: RunGroup.RateChoice
    /// Seeds of the runs.
    public let seeds: [Int]
    /// Mean, sample standard deviation and n of each defined metric, by id.
    public let metrics: [String: Summary]
    /// Final loss and its rise since each experience was learned, in nats a token; nil where no tokens are predicted.
    public let finalLoss, lossRise: Summary?
    /// Mean ability at the end in percent, and how much more that is than before any training; nil where none is measured.
    public let abilities, abilityChange: Summary?
    /// The same of abilities that are measured by a loss, in nats a token.
    public let abilityLoss, abilityLossChange: Summary?
    /// Final accuracy against the first method on the same stream and model, paired by seed; nil for that one and where
    /// no seed is shared.
    public let againstFirst: PairedComparison?
    /// That method; nil for itself.
    public let first: String?
  }

  /// One row a method, in the order in which their first runs come.
  public let rows: [Row]

  /// The comparison of some runs.
  public init(_ runs: [RunRecord]) {
    let groups = RunGroup.groups(of: runs)
    rows = groups.map { group in
      Row(
        method: group.id, learningRate: group.learningRate, rateChosenBy: group.choice, seeds: group.runs.map(\.seed),
        metrics: Dictionary(
          uniqueKeysWithValues: Metric.all.compactMap { metric in group.summary(metric).map { (metric.id, $0) } }),
        finalLoss: group.finalLoss, lossRise: group.lossRise,
        abilities: group.abilities(\.finalMean), abilityChange: group.abilities(\.change),
        abilityLoss: group.abilities(\.finalLoss), abilityLossChange: group.abilities(\.lossChange),
        againstFirst: group.baseline(among: groups).flatMap { group.comparison(with: $0, on: .finalAccuracy) },
        first: group.baseline(among: groups)?.id)
    }
  }

  /// Aligned columns for a terminal.
  public static func text(_ runs: [RunRecord]) -> String {
    let table = ComparisonTable(runs)
    let cells = table.cells
    let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = cells.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }
    return (lines + table.notes).joined(separator: "\n") + "\n"
  }

  /// A Markdown table.
  public static func markdown(_ runs: [RunRecord]) -> String {
    let table = ComparisonTable(runs)
    let lines = table.cells.map { row in
      "| " + row.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = "|" + table.cells[0].indices.map { $0 == 0 ? " --- |" : " ---: |" }.joined()
    let notes = table.notes.map { "\n\($0)" }
    return ([lines[0], rule] + lines.dropFirst() + notes).joined(separator: "\n") + "\n"
  }

  /// The table as JSON, with sorted keys.
  public static func json(_ runs: [RunRecord]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(ComparisonTable(runs)), as: UTF8.self) + "\n"
  }

  private var shown: [Metric] { Metric.all.filter { metric in rows.contains { $0.metrics[metric.id] != nil } } }

  /// Head and rows as plain text, at least the head.
  private var cells: [[String]] {
    let hasRates = rows.contains { $0.learningRate != nil }, hasLosses = rows.contains { $0.finalLoss != nil }
    let hasAbilities = rows.contains { $0.abilities != nil }
    let hasAbilityLosses = rows.contains { $0.abilityLoss != nil }
    let head =
      ["method"] + (hasRates ? ["rate"] : []) + ["n"] + shown.map(\.symbol)
      + (hasLosses ? ["loss", "rise"] : [])
      + (hasAbilities ? ["abilities", "Δ abilities"] : [])
      + (hasAbilityLosses ? ["ability loss", "Δ ability loss"] : [])
      + (rows.count > 1 ? ["Δ ACC", "p t", "p flip"] : [])
    return [head]
      + rows.map { row in
        let pair = row.againstFirst
        return [row.method] + (hasRates ? [row.learningRate.map(Format.rate) ?? "–"] : []) + [String(row.seeds.count)]
          + shown.map { row.metrics[$0.id].map { Format.plusMinus($0) } ?? "–" }
          + (hasLosses ? [row.finalLoss, row.lossRise].map(Self.loss) : [])
          + (hasAbilities ? Self.pair(row.abilities, row.abilityChange, decimals: 1) : [])
          + (hasAbilityLosses ? Self.pair(row.abilityLoss, row.abilityLossChange, decimals: 3) : [])
          + (rows.count > 1
            ? [pair.map { Format.signed($0.difference.mean) } ?? "–", Format.p(pair?.tTest), Format.p(pair?.signFlip)]
            : [])
      }
  }

  private static func loss(_ summary: Summary?) -> String {
    summary.map { Format.plusMinus($0, decimals: 3) } ?? "–"
  }

  private static func pair(_ value: Summary?, _ change: Summary?, decimals: Int) -> [String] {
    [
      value.map { Format.plusMinus($0, decimals: decimals) } ?? "–",
      change.map { Format.signed($0.mean, decimals: decimals) } ?? "–",
    ]
  }

  private var notes: [String] {
    var notes = [shown.map { "\($0.symbol) = \($0.id)" }.joined(separator: ", ") + "."]
    if rows.contains(where: { $0.finalLoss != nil }) {
      notes.append("loss, rise: nats a token at the end, and how much more than when each experience was just learned.")
    }
    if rows.contains(where: { $0.abilities != nil || $0.abilityLoss != nil }) {
      notes.append(
        "abilities: their mean at the end, and how much more than before any training; losses in nats a token.")
    }
    if rows.contains(where: { $0.seeds.count > 1 }) { notes.append("± is the sample standard deviation over seeds.") }
    let firsts = Set(rows.compactMap(\.first))
    if let first = firsts.first {
      notes.append(
        "Δ ACC, p: against \(firsts.count == 1 ? first : "the first of each stream and model"), paired by seed; t-test and exact sign-flip test, not corrected for the "
          + "number of methods.")
    }
    if rows.contains(where: { $0.rateChosenBy == .test }) {
      notes.append("No validation scores: learning rates were chosen on the test set, which flatters every sweep.")
    }
    return notes
  }
}
