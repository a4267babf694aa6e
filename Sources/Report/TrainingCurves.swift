import Evaluation

/// Loss, learning rate, speed and memory over steps, at each method's quoted rate.
struct TrainingCurves {
  let groups: [RunGroup]

  var html: HTML? {
    guard groups.contains(where: { $0.runs.contains { $0.steps.count > 1 } }) else { return nil }
    let panels = [
      panel("Training loss", smooth: true, label: Format.tick) { $0.loss },
      panel("Learning rate", smooth: false, label: Format.rate) { $0.learningRate },
      panel("Tokens per second", smooth: true, label: Format.count) { $0.tokensPerSecond },
      panel("Memory", smooth: false, label: Format.bytes) { $0.residentBytes.map(Double.init) },
    ]
    return section(
      "Training", id: "training",
      note: "Over steps; dotted rules begin an experience. The strong line is a moving mean within the experience"
        + (groups.contains { $0.runs.count > 1 } ? ", averaged over seeds" : "")
        + (groups.count < 5 ? "; the faint one is the record itself, thinned." : ".")
    ) {
      legend(groups)
      element("div", ["class": "grid", "style": "--min:440px"]) { panels.compactMap { $0 } }
    }
  }

  private func panel(
    _ name: String, smooth: Bool, label: @escaping (Double) -> String, _ value: (StepRecord) -> Double?
  ) -> HTML? {
    let last = groups.flatMap(\.runs).compactMap(\.steps.last?.step).max() ?? 0
    let curves = groups.map { group in group.runs.map { Thinned($0.steps, through: last, value) } }
    let strong = curves.map { runs in Thinned.mean(smooth ? runs.map { $0.smoothed() } : runs) }
    let faint = smooth && groups.count < 5 ? curves.map { $0.map(\.points) } : []
    let heights = (faint.flatMap { $0 } + strong).flatMap { $0.map(\.y) }.filter(\.isFinite).sorted()
    guard heights.count > 1 else { return nil }
    // A few spikes must not flatten the curve: they leave the frame at the top.
    let ceiling = heights[Int(Double(heights.count - 1) * 0.995)]
    let chart = Chart(
      x: Axis(from: 0, through: Double(last), label: { Format.count($0) }),
      y: Axis([heights[0], ceiling], zero: true, count: 5, label: label), left: 68, right: 22)
    return element("figure", ["class": "card"]) {
      element("h3") { name }
      chart.svg("\(name) over training steps") {
        boundaries.map { chart.marker(at: Double($0), "boundary") }
        faint.enumerated().flatMap { index, runs in runs.map { chart.line($0, "raw \(Palette.style(index))") } }
        strong.enumerated().map { index, line in
          chart.line(line, "\(groups.count > 4 ? "thin " : "")\(Palette.style(index))")
        }
      }
    }
  }

  /// First steps of the experiences after the first, from the first run that has a log.
  private var boundaries: [Int] {
    let steps = groups.flatMap(\.runs).first { $0.steps.count > 1 }?.steps ?? []
    return zip(steps, steps.dropFirst()).compactMap { $0.experience < $1.experience ? $1.step : nil }
  }
}

/// A log cut down to one point for each of a fixed number of step ranges.
struct Thinned {
  private static let maximum = 360

  /// Mean of each range, NaN where nothing was logged; equal x for equal ranges of all runs.
  let points: [Chart.Point]
  private let experiences: [Int]

  private init(points: [Chart.Point], experiences: [Int]) {
    self.points = points
    self.experiences = experiences
  }

  init(_ steps: [StepRecord], through last: Int, _ value: (StepRecord) -> Double?) {
    let bins = min(Self.maximum, max(1, last))
    var sums = Array(repeating: (total: 0.0, count: 0.0, experience: -1), count: bins)
    for record in steps {
      guard let y = value(record), y.isFinite else { continue }
      let bin = min(bins - 1, max(0, (record.step - 1) * bins / max(1, last)))
      sums[bin] = (sums[bin].total + y, sums[bin].count + 1, record.experience)
    }
    let width = Double(last) / Double(bins)
    let filled = sums.enumerated().filter { $0.element.count > 0 }
    points = filled.map { .init(x: (Double($0.offset) + 0.5) * width, y: $0.element.total / $0.element.count) }
    experiences = filled.map(\.element.experience)
  }

  /// Centred moving mean that does not reach into another experience.
  func smoothed(radius: Int = 6) -> Thinned {
    let means = points.indices.map { index in
      let near = max(0, index - radius)...min(points.count - 1, index + radius)
      let same = near.filter { experiences[$0] == experiences[index] }
      return Chart.Point(x: points[index].x, y: same.map { points[$0].y }.reduce(0, +) / Double(same.count))
    }
    return Thinned(points: means, experiences: experiences)
  }

  /// Mean over runs at each x that any of them has.
  static func mean(_ runs: [Thinned]) -> [Chart.Point] {
    let byX = Dictionary(grouping: runs.flatMap(\.points), by: \.x)
    return byX.sorted { $0.key < $1.key }.map { x, points in
      Chart.Point(x: x, y: points.map(\.y).reduce(0, +) / Double(points.count))
    }
  }
}
