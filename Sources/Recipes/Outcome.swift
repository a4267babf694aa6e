public import Evaluation
public import Foundation
import Report

/// What a finished run says on the terminal.
public enum Outcome {
  public static func text(_ folder: URL) throws -> String {
    let directory = RunDirectory(folder)
    let record = try directory.record()
    var lines = [matrix(record.matrix), ""]
    if let loss = record.loss { lines += ["loss, nats a token", matrix(loss, decimals: 3), ""] }
    if let abilities = record.abilities { lines += [Self.abilities(abilities, after: record.matrix), ""] }
    for metric in Metric.all {
      guard let value = record.metrics[metric.id] else { continue }
      lines.append(
        String(format: "%@ %7.2f  %@", metric.id.padding(toLength: 24, withPad: " ", startingAt: 0), value, metric.name)
      )
    }
    lines += ["", "report  \(directory.report.relativePath)"]
    return lines.joined(separator: "\n")
  }

  /// Abilities before training and after each experience, the percentages and the losses.
  static func abilities(_ scores: AbilityScores, after matrix: AccuracyMatrix) -> String {
    let cells = { (row: [AbilityScores.Score]) in
      row.map { score in
        score.percent.map { String(format: "%.1f", $0) } ?? score.loss.map { String(format: "%.3f", $0) } ?? "–"
      }
    }
    let head = scores.abilities.map { $0.measure == "loss" ? "\($0.name) (nats)" : $0.name }
    let rows = zip(matrix.experiences, scores.rows).filter { !$0.1.isEmpty }.map { [$0] + cells($1) }
    return Output.table([["abilities"] + head, ["before any"] + cells(scores.before)] + rows)
  }

  /// A matrix, row after, column on; rows without any figure are left out.
  public static func matrix(_ matrix: AccuracyMatrix, decimals: Int = 1) -> String {
    let width = max(7, (matrix.experiences.map(\.count).max() ?? 0) + 1)
    let pad = { (text: String) in String(repeating: " ", count: max(0, width - text.count)) + text }
    let cell = { (value: Double?) in pad(value.map { String(format: "%.\(decimals)f", $0) } ?? "–") }
    var lines = [pad("after") + " │" + matrix.experiences.map(pad).joined()]
    let rows = (matrix.before.map { [("before", $0)] } ?? []) + zip(matrix.experiences, matrix.rows)
    for (name, row) in rows where row.contains(where: { $0 != nil }) {
      lines.append(pad(name) + " │" + row.map(cell).joined())
    }
    return lines.joined(separator: "\n")
  }
}
