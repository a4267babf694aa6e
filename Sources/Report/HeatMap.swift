import Evaluation

/// Accuracy matrices side by side, one per method, on one scale.
struct HeatMaps {
  let groups: [RunGroup]

  var html: HTML? {
    let matrices = groups.map(\.meanMatrix)
    let cells = matrices.flatMap { ($0.rows + ($0.before.map { [$0] } ?? [])).flatMap { $0.compactMap { $0 } } }
    guard let lowest = cells.min(), let highest = cells.max() else { return nil }
    // At least 40 points, so that a small spread does not look like a large one.
    let high = max(40, (highest / 10).rounded(.up) * 10)
    let low = min(high - 40, (lowest / 10).rounded(.down) * 10)
    let widest = matrices.map { HeatMap.width(columns: $0.experiences.count) }.max() ?? 0
    return section(
      "Accuracy matrix", id: "matrix",
      note: "Row: after training on an experience. Column: tested on one. The diagonal is what was just learned; "
        + "reading down a column shows it kept or forgotten; cells above the diagonal were not trained yet. "
        + (groups.allSatisfy { $0.runs.count == 1 } ? "" : "Means over seeds. ")
        + "The bottom line is the change from the diagonal to the end."
    ) {
      scale(low, high)
      element("div", ["class": "grid", "style": "--min:\(min(560, Int(widest) + 40))px"]) {
        zip(groups, matrices).map { group, matrix in
          element("figure", ["class": "card"]) {
            element("h3") { group.id }
            element("div", ["class": "scroll"]) {
              HeatMap(
                name: group.id, matrix: matrix, runs: group.runs, low: low, high: high,
                enlargement: groups.count == 1 ? 1.8 : 1.3
              ).svg
            }
          }
        }
      }
    }
  }

  private func scale(_ low: Double, _ high: Double) -> HTML {
    element("div", ["class": "ramp"]) {
      element("span") { "\(Int(low)) %" }
      element("span", ["class": "steps"]) {
        (0..<Palette.heatSteps).map { element("i", ["class": "h\($0)"]) }
      }
      element("span") { "\(Int(high)) %" }
    }
  }
}

/// One accuracy matrix as a drawing.
struct HeatMap {
  let name: String
  let matrix: AccuracyMatrix
  let runs: [RunRecord]
  let low: Double
  let high: Double
  /// How far the drawing may grow beyond its natural size.
  let enlargement: Double

  private static let rowHeight = 32.0
  private static let margin = 108.0
  private static let slantedLimit = 14
  private var columns: Int { matrix.experiences.count }
  private var cell: Double { Self.cellWidth(columns) }
  private var top: Double {
    let longest = matrix.experiences.map { min($0.count, Self.slantedLimit) }.max() ?? 0
    return columns > 5 ? 22 + 4.6 * Double(longest) : 30
  }
  private var hasBefore: Bool { matrix.before != nil }

  private static func cellWidth(_ columns: Int) -> Double { columns > 10 ? 36 : columns > 5 ? 44 : 62 }

  static func width(columns: Int) -> Double { margin + Double(columns) * cellWidth(columns) + (columns > 5 ? 34 : 4) }

  var svg: HTML {
    let lines = matrix.count + (hasBefore ? 1 : 0)
    let height = top + Double(lines) * Self.rowHeight + (matrix.count > 1 ? 34 : 6)
    let width = Self.width(columns: columns)
    return element(
      "svg",
      [
        "class": "heat", "viewBox": "0 0 \(Chart.coordinate(width)) \(Chart.coordinate(height))", "role": "img",
        "style": "min-width:\(Int(width * 0.72))px;max-width:\(Int(width * enlargement))px",
        "aria-label": "Accuracy matrix of \(name)",
      ]
    ) {
      (0..<columns).map(columnLabel)
      if let before = matrix.before {
        rowLabel("before any", line: 0)
        (0..<columns).map { drawCell(before[$0], spread: nil, row: nil, column: $0) }
      }
      (0..<matrix.count).map { row in
        fragment {
          rowLabel(matrix.experiences[row], line: row + (hasBefore ? 1 : 0))
          (0..<columns).map { column in
            drawCell(
              matrix[after: row, on: column], spread: Summary(runs.map(\.matrix).scores(after: row, on: column)),
              row: row, column: column)
          }
        }
      }
      if matrix.count > 1 { change(line: lines) }
    }
  }

  private func columnLabel(_ column: Int) -> HTML {
    let x = Self.margin + (Double(column) + 0.5) * cell
    let label = element("title") { matrix.experiences[column] }
    let text = Format.short(matrix.experiences[column], limit: columns > 5 ? Self.slantedLimit : 9)
    guard columns > 5 else {
      return element("g") {
        label
        svgText(text, x, top - 10)
      }
    }
    return element("g", ["transform": "translate(\(Chart.coordinate(x - 2)) \(Chart.coordinate(top - 9))) rotate(-42)"])
    {
      label
      svgText(text, 0, 0, anchor: "start")
    }
  }

  private func rowLabel(_ text: String, line: Int) -> HTML {
    element("g") {
      element("title") { text }
      svgText(
        Format.short(text, limit: 15), Self.margin - 9, top + (Double(line) + 0.5) * Self.rowHeight + 4, anchor: "end",
        style: "name")
    }
  }

  /// One cell; `row` is nil in the line before any training.
  private func drawCell(_ value: Double?, spread: Summary?, row: Int?, column: Int) -> HTML {
    let line = row.map { $0 + (hasBefore ? 1 : 0) } ?? 0
    let x = Self.margin + Double(column) * cell, y = top + Double(line) * Self.rowHeight
    let isAhead = row.map { $0 < column } ?? true
    let step = value.map { Palette.heatStep(($0 - low) / (high - low)) }
    let place = row.map { "after \(matrix.experiences[$0])" } ?? "before any training"
    let reading = value.map { spread.map { Format.plusMinus($0, decimals: 2) } ?? Format.number($0, decimals: 2) }
    return element("g") {
      element("title") { "\(place), on \(matrix.experiences[column]): \(reading ?? "not evaluated")" }
      element(
        "rect",
        [
          "class": step.map { "h\($0)\(isAhead ? " ahead" : "")" } ?? "empty", "x": Chart.coordinate(x + 1),
          "y": Chart.coordinate(y + 1), "width": Chart.coordinate(cell - 2),
          "height": Chart.coordinate(Self.rowHeight - 2), "rx": "3",
        ])
      svgText(
        value.map { Format.number($0, decimals: columns > 8 ? 0 : 1) } ?? "·", x + cell / 2, y + Self.rowHeight / 2 + 4,
        style: isAhead ? "pale" : step.map { "t\($0)" } ?? "pale")
    }
  }

  private func change(line: Int) -> HTML {
    let y = top + Double(line) * Self.rowHeight + 20
    return fragment {
      svgText("change", Self.margin - 9, y, anchor: "end")
      (0..<matrix.count - 1).map { column in
        let x = Self.margin + (Double(column) + 0.5) * cell
        guard let last = matrix[after: matrix.count - 1, on: column], let first = matrix[after: column, on: column]
        else { return svgText("·", x, y) }
        return svgText(
          Format.signed(last - first, decimals: columns > 8 ? 0 : 1), x, y, style: last < first ? "down" : "up")
      }
    }
  }
}
