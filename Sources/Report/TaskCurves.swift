import Evaluation

/// Accuracy of each experience as training goes on: small multiples on one scale, a line for each method.
struct TaskCurves {
  let groups: [RunGroup]

  private var longest: [String] {
    groups.map { $0.runs.first?.matrix.experiences ?? [] }.max { $0.count < $1.count } ?? []
  }
  private var sharesNames: Bool { Set(groups.map { $0.runs.first?.matrix.experiences ?? [] }).count == 1 }

  var html: HTML? {
    let rows = groups.map(\.meanMatrix.count).max() ?? 0
    guard rows > 1 else { return nil }
    let seen = groups.map { group in (0..<rows).map { k in average(group, after: k) } }
    let single = (0..<longest.count).map { j in
      groups.map { group in (0..<rows).map { i in cell(group, after: i, on: j) } }
    }
    let values = (seen + single.flatMap { $0 }).flatMap { $0.compactMap { $0?.mean } }
    let y = Axis(values, count: 4) { Format.tick($0) }
    let spread = groups.contains { $0.runs.count > 1 } ? " The band is one standard deviation over seeds." : ""
    return section(
      "Each experience over time", id: "tasks",
      note: "Percent against the number of experiences trained so far; the dotted rule marks when this one was "
        + "trained, and the line before it is what the model could do without." + spread
    ) {
      legend(groups)
      element("div", ["class": "grid", "style": "--min:\(longest.count > 6 ? 230 : 280)px"]) {
        panel("All seen so far", seen, trainedAt: nil, y)
        single.enumerated().compactMap { j, lines in
          lines.contains { $0.contains { $0 != nil } }
            ? panel("\(j + 1) · \(sharesNames ? longest[j] : "experience \(j + 1)")", lines, trainedAt: j, y) : nil
        }
      }
    }
  }

  private func cell(_ group: RunGroup, after i: Int, on j: Int) -> Summary? {
    let matrices = group.runs.map(\.matrix).filter { j < $0.experiences.count }
    return Summary(matrices.scores(after: i, on: j))
  }

  private func average(_ group: RunGroup, after k: Int) -> Summary? {
    Summary(group.runs.map(\.matrix).filter { k < $0.count }.compactMap { Metric.seenMean($0, after: k) })
  }

  private func panel(_ name: String, _ lines: [[Summary?]], trainedAt j: Int?, _ y: Axis) -> HTML {
    var chart = Chart(x: Axis(positions: lines.first?.count ?? 2), y: y)
    (chart.width, chart.height, chart.left, chart.bottom, chart.top) = (300, 168, 30, 22, 10)
    return element("figure", ["class": "card"]) {
      element("h3") { name }
      chart.svg("Accuracy of \(name) after each experience") {
        if let j { chart.marker(at: Double(j + 1), "boundary") }
        lines.enumerated().map { index, line in draw(line, index, trainedAt: j ?? 0, chart) }
      }
    }
  }

  private func draw(_ line: [Summary?], _ index: Int, trainedAt j: Int, _ chart: Chart) -> HTML {
    let style = Palette.style(index)
    let points = line.enumerated().map { Chart.Point(x: Double($0.offset + 1), y: $0.element?.mean ?? .nan) }
    let spread = line.enumerated().compactMap { offset, summary in
      summary.flatMap { s in s.standardDeviation.map { (x: Double(offset + 1), mean: s.mean, sd: $0) } }
    }.filter { Int($0.x) > j }
    return fragment {
      if spread.count > 1 && groups.count < 7 {
        chart.band(
          spread.map { .init(x: $0.x, y: $0.mean - $0.sd) }, spread.map { .init(x: $0.x, y: $0.mean + $0.sd) }, style)
      }
      if j > 0 { chart.line(Array(points.prefix(j + 1)), "early \(style)") }
      chart.line(Array(points.dropFirst(j)), "\(groups.count > 4 ? "thin " : "")\(style)")
      points.enumerated().compactMap { offset, point in
        offset < j && groups.count > 4
          ? nil
          : line[offset].map {
            chart.dot(
              point, radius: offset < j ? 1.6 : groups.count > 4 ? 2.2 : 3, "dot \(style)",
              hint: "\(groups[index].id), after \(offset + 1): \(Format.plusMinus($0))")
          }
      }
    }
  }
}
