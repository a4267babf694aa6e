import Evaluation

/// What each method learns against what it forgets, over its learning rates.
struct FrontierPlot {
  let groups: [RunGroup]

  var html: HTML? {
    let frontier = Frontier(groups)
    guard frontier.isSweep else { return nil }
    return section(
      "Plasticity against stability", id: "frontier",
      note: "Each dot is a learning rate, joined in rising order; better is to the right and down. Filled dots are "
        + "Pareto-optimal: no other run learns as much and forgets less. The ringed rate is the one quoted elsewhere, "
        + "chosen by \(groups.contains { $0.choice == .test } ? "test" : "validation") accuracy. "
        + "Whiskers are one standard deviation over seeds."
    ) {
      legend(groups)
      element("figure", ["class": "card scroll"]) { plot(frontier) }
    }
  }

  private func plot(_ frontier: Frontier) -> HTML {
    let points = frontier.curves.flatMap(\.points)
    var chart = Chart(
      x: Axis(points.map(\.learningAccuracy.mean), count: 8) { Format.tick($0) },
      y: Axis(points.map(\.forgetting.mean), zero: true, count: 6) { Format.tick($0) })
    (chart.width, chart.height, chart.top, chart.bottom, chart.right) = (920, 440, 26, 40, 150)
    (chart.xTitle, chart.yTitle) = ("learning accuracy, %", "forgetting, points")
    let order = Dictionary(groups.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
    return chart.svg("Learning accuracy against forgetting, a curve for each method") {
      frontier.curves.map { curve in draw(curve, Palette.style(order[curve.id] ?? 0), chart) }
      labels(frontier, chart)
    }
  }

  private func draw(_ curve: Frontier.Curve, _ style: String, _ chart: Chart) -> HTML {
    fragment {
      chart.line(curve.points.map { .init(x: $0.learningAccuracy.mean, y: $0.forgetting.mean) }, "thin \(style)")
      curve.points.map { point in
        let center = Chart.Point(x: point.learningAccuracy.mean, y: point.forgetting.mean)
        return fragment {
          whiskers(point, style, chart)
          chart.dot(
            center, radius: 4.5, "\(point.isOptimal ? "dot" : "open") \(style)",
            hint: hint(curve.id, point))
          if point.isChosen { chart.dot(center, radius: 8, "ring", hint: "\(curve.id), quoted rate") }
        }
      }
    }
  }

  private func hint(_ name: String, _ point: Frontier.Point) -> String {
    "\(name) at \(Format.rate(point.learningRate)): learns \(Format.plusMinus(point.learningAccuracy)) %, "
      + "forgets \(Format.plusMinus(point.forgetting)) points, \(point.forgetting.n) runs"
  }

  private func whiskers(_ point: Frontier.Point, _ style: String, _ chart: Chart) -> HTML {
    let x = point.learningAccuracy.mean, y = point.forgetting.mean
    let dx = point.learningAccuracy.standardDeviation ?? 0, dy = point.forgetting.standardDeviation ?? 0
    return fragment {
      if dx > 0 {
        chart.rule(
          "error \(style)", chart.horizontal(x - dx), chart.vertical(y), chart.horizontal(x + dx), chart.vertical(y))
      }
      if dy > 0 {
        chart.rule(
          "error \(style)", chart.horizontal(x), chart.vertical(y - dy), chart.horizontal(x), chart.vertical(y + dy))
      }
    }
  }

  /// Names at the ends of the curves, pushed apart vertically where they would overlap.
  private func labels(_ frontier: Frontier, _ chart: Chart) -> HTML {
    var placed: [(x: Double, y: Double)] = []
    let ends = frontier.curves.compactMap { curve in curve.points.last.map { (curve.id, $0) } }
    let texts = ends.sorted { $0.1.forgetting.mean > $1.1.forgetting.mean }.map { name, point in
      let x = chart.horizontal(point.learningAccuracy.mean) + 12
      var y = chart.vertical(point.forgetting.mean) + 4
      while placed.contains(where: { abs($0.x - x) < 130 && abs($0.y - y) < 14 }) { y += 2 }
      placed.append((x, y))
      return chart.label(Format.short(name, limit: 22), x, y, anchor: "start", style: "halo")
    }
    return fragment { texts }
  }
}
