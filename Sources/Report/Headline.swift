import Evaluation

/// The four numbers to look at first, by method.
struct Headline {
  let groups: [RunGroup]

  private static let metrics: [Metric] = [.finalAccuracy, .forgetting, .backwardTransfer, .learningAccuracy]

  var html: HTML {
    element("section", ["id": "headline", "aria-label": "Headline numbers"]) {
      element(
        "div", ["class": "grid\(groups.count < 3 ? " few" : "")", "style": "--min:\(groups.count < 3 ? 150 : 250)px"]
      ) {
        Self.metrics.map(card)
      }
    }
  }

  private func card(_ metric: Metric) -> HTML {
    var scores = groups.enumerated().compactMap { index, group in
      group.summary(metric).map { (index: index, name: group.id, summary: $0) }
    }
    // In a long list the order itself is the message; two methods keep their places from card to card.
    if scores.count > 3 {
      scores.sort { metric.higherIsBetter ? $0.summary.mean > $1.summary.mean : $0.summary.mean < $1.summary.mean }
    }
    let best = bestMean(scores.map(\.summary), metric)
    // Bars show accuracy, or points lost: a gain has no bar.
    let length = { (mean: Double) in metric.unit == "%" ? mean : max(0, metric.higherIsBetter ? -mean : mean) }
    let scale = metric.unit == "%" ? 100 : max(10, scores.map { length($0.summary.mean) }.max() ?? 0)
    return element("div", ["class": "card"]) {
      element("div", ["class": "metric-head"]) {
        element("b") { metric.name }
        element("span") { "\(metric.unit) · \(metric.higherIsBetter ? "higher" : "lower") is better" }
      }
      if scores.isEmpty {
        element("p", ["class": "note"]) {
          "Needs \(metric.unit == "%" ? "a trained experience" : "two trained experiences")."
        }
      }
      scores.map { score in
        row(
          score.index, score.name, score.summary, share: length(score.summary.mean) / scale,
          isBest: score.summary.mean == best)
      }
    }
  }

  private func row(_ index: Int, _ name: String, _ summary: Summary, share: Double, isBest: Bool) -> HTML {
    element("div", ["class": "score \(Palette.style(index))\(isBest ? " best" : "")"]) {
      element("span", ["class": "who"]) {
        swatch(index)
        element("span") { name }
        if isBest { element("span", ["class": "pill"]) { "best" } }
      }
      element("span", ["class": "value"]) {
        Format.number(summary.mean)
        if let spread = summary.standardDeviation { element("small") { " ± \(Format.number(spread))" } }
      }
      element("span", ["class": "bar"]) { element("i", ["style": "width:\(Format.number(100 * share))%"]) }
    }
  }
}

/// The best of several means, nil when there is nothing to compare.
func bestMean(_ summaries: [Summary], _ metric: Metric) -> Double? {
  guard summaries.count > 1 else { return nil }
  return metric.higherIsBetter ? summaries.map(\.mean).max() : summaries.map(\.mean).min()
}
