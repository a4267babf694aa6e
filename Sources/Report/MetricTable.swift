import Evaluation

/// Every metric of every method, then what each one means.
struct MetricTable {
  let groups: [RunGroup]

  private var shown: [Metric] { Metric.all.filter { metric in groups.contains { $0.summary(metric) != nil } } }
  private var hasMacroF1: Bool { groups.contains { macroF1($0) != nil } }

  var html: HTML {
    section(
      "Metrics", id: "metrics",
      note: "A green dot marks the best mean. Libraries disagree on these definitions; each is stated with its source."
    ) {
      element("div", ["class": "card"]) {
        element("div", ["class": "scroll"]) { table }
        definitions
      }
      if let comparison = Comparison(groups: groups).html { comparison }
    }
  }

  private var table: HTML {
    element("table") {
      element("thead") {
        element("tr") {
          element("th") { "Method" }
          element("th") { "Seeds" }
          shown.map { metric in
            element("th", ["title": metric.name]) { "\(metric.symbol) \(metric.higherIsBetter ? "↑" : "↓")" }
          }
          if hasMacroF1 { element("th", ["title": "Final average macro-F1"]) { "macro-F1 ↑" } }
        }
      }
      element("tbody") {
        groups.enumerated().map { index, group in
          element("tr") {
            nameCell(index, group)
            element("td") { String(group.runs.count) }
            shown.map { metric in
              cell(group.summary(metric), best: bestMean(groups.compactMap { $0.summary(metric) }, metric))
            }
            if hasMacroF1 {
              cell(macroF1(group), best: bestMean(groups.compactMap(macroF1), .finalAccuracy))
            }
          }
        }
      }
    }
  }

  private func cell(_ summary: Summary?, best: Double?) -> HTML {
    guard let summary else { return element("td") { "–" } }
    return element("td", ["class": summary.mean == best ? "best" : ""]) {
      Format.number(summary.mean)
      if let spread = summary.standardDeviation { element("small") { " ±\u{2009}\(Format.number(spread))" } }
    }
  }

  private func macroF1(_ group: RunGroup) -> Summary? {
    Summary(group.runs.compactMap { $0.macroF1.flatMap { Metric.finalAccuracy.compute($0) } })
  }

  private var definitions: HTML {
    element("dl", ["class": "definitions"]) {
      Metric.all.map { metric in
        element("div") {
          element("dt") { "\(metric.symbol) · \(metric.name), \(metric.unit)" }
          element("dd") {
            element("code") { metric.formula }
            HTML(trusted: "<br>")
            "Variant "
            element("code") { metric.id }
            ". "
            element("a", ["href": metric.source.url]) { metric.source.text }
            if !shown.contains(where: { $0.id == metric.id }) { ". Not computed: \(Self.missing(metric))" }
            "."
          }
        }
      }
    }
  }

  /// What a metric that no run defines would need.
  private static func missing(_ metric: Metric) -> String {
    switch metric.id {
    case Metric.forwardTransfer.id: "needs scores before any training and on experiences not yet trained"
    case Metric.forwardTransferSingleTask.id: "needs a model trained on each experience alone"
    case Metric.intransigence.id, Metric.meanIntransigence.id: "needs a jointly trained model"
    default: "needs more evaluated cells"
    }
  }
}

/// First cell of a table row: a method in its colour.
func nameCell(_ index: Int, _ group: RunGroup) -> HTML {
  element("td", ["class": "who"]) {
    element("span") {
      swatch(index)
      group.id
    }
  }
}

/// Every method against the first of its stream and model, on the seeds both ran.
struct Comparison {
  let groups: [RunGroup]

  var html: HTML? {
    let pairs = groups.enumerated().flatMap { index, group in
      [Metric.finalAccuracy, .forgetting].compactMap { metric in
        group.baseline(among: groups).flatMap { group.comparison(with: $0, on: metric) }
          .map { (index: index, group: group, metric: metric, result: $0) }
      }
    }
    let places = Set(groups.map(\.place)).count
    guard pairs.contains(where: { $0.result.difference.n > 1 }) else { return nil }
    return element("div", ["class": "card", "style": "margin-top:16px"]) {
      element("h3") {
        places > 1 ? "Against the first of each stream, paired by seed" : "Against \(groups[0].id), paired by seed"
      }
      element("div", ["class": "scroll"]) {
        element("table") {
          element("thead") {
            element("tr") {
              ["Method", "Metric", "Difference", "95 % interval", "Pairs", "p, t-test", "p, sign flips"].map { name in
                element("th") { name }
              }
            }
          }
          element("tbody") { pairs.map { pair in row(pair.index, pair.group, pair.metric, pair.result) } }
        }
      }
      element("p", ["class": "note", "style": "margin:12px 0 0"]) {
        "The t-test takes differences as normal; the sign-flip test takes nothing for granted, but with n pairs it "
          + "cannot go below 2/2ⁿ (0.25 for three, 0.0625 for five). "
          + "p-values are not corrected for the number of methods."
      }
    }
  }

  private func row(_ index: Int, _ group: RunGroup, _ metric: Metric, _ result: PairedComparison) -> HTML {
    element("tr") {
      nameCell(index, group)
      element("td") { metric.symbol }
      element("td") { Format.signed(result.difference.mean, decimals: 2) }
      element("td") {
        result.difference.interval.map {
          "\(Format.signed($0.lowerBound, decimals: 2)) … \(Format.signed($0.upperBound, decimals: 2))"
        } ?? "–"
      }
      element("td") { String(result.difference.n) }
      element("td") { Format.p(result.tTest) }
      element("td") { Format.p(result.signFlip) }
    }
  }
}
