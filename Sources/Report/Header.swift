import Evaluation

/// Title, the outcome in a sentence, and what ran.
struct Header {
  let title: String
  let groups: [RunGroup]

  private var runs: [RunRecord] { groups.flatMap(\.runs) }

  var html: HTML {
    element("header") {
      element("p", ["class": "eyebrow"]) { "Jay · continual learning report" }
      element("h1") { title }
      element("p", ["class": "verdict"]) { verdict }
      element("dl", ["class": "facts"]) {
        facts.map { name, value in
          element("div") {
            element("dt") { name }
            element("dd") { value }
          }
        }
      }
      if groups.contains(where: { $0.choice == .test }) {
        element("p", ["class": "note warning"]) {
          "No validation scores: learning rates were chosen on the test set, which flatters every method with several."
        }
      }
    }
  }

  private var facts: [(String, String)] {
    let experiences = runs.map { $0.matrix.experiences.count }
    let trained = runs.map(\.matrix.count).min() ?? 0
    let length = experiences.max() ?? 0
    return [
      ("Model", distinct(\.model)), ("Stream", distinct(\.stream)), ("Scenario", distinct(\.scenario)),
      ("Experiences", trained < length ? "\(trained) of \(length) trained" : String(length)),
      (groups.count > 1 ? "Methods" : "Method", groups.count > 6 ? "\(groups.count)" : Format.list(groups.map(\.id))),
      (seeds.contains(",") ? "Seeds" : "Seed", seeds), ("Runs", runCount > 1 ? "\(runCount)" : ""),
    ].filter { !$0.1.isEmpty }
  }

  private var runCount: Int { groups.flatMap(\.allRuns).count }
  private var seeds: String { Set(runs.map(\.seed)).sorted().map(String.init).joined(separator: ", ") }

  private func distinct(_ key: KeyPath<RunRecord, String>) -> String {
    var seen: [String] = []
    for value in runs.map({ $0[keyPath: key] }) where !value.isEmpty && !seen.contains(value) { seen.append(value) }
    return Format.list(seen)
  }

  /// The outcome in words; a difference comes with its p-value, or with the remark that there is none.
  private var verdict: String {
    let ranked = groups.compactMap { group in group.summary(.finalAccuracy).map { (group: group, accuracy: $0) } }
      .sorted { $0.accuracy.mean > $1.accuracy.mean }
    guard let best = ranked.first else { return "Nothing has been evaluated yet." }
    guard Set(groups.map(\.place)).count == 1 else {
      return "These runs are of several streams or models: each method is compared with the first of its own."
    }
    var text = "\(best.group.id) ends at \(Format.plusMinus(best.accuracy)) % over the experiences seen"
    if let lost = best.group.summary(.forgetting) {
      let verb = lost.mean >= 0 ? "forgotten" : "gained"
      text += ", having \(verb) \(Format.number(abs(lost.mean))) points on the older ones"
    }
    text += "."
    guard ranked.count > 1 else { return text }
    let other = groups[0].id == best.group.id ? ranked[1].group : groups[0]
    return text + difference(best.group, other)
  }

  private func difference(_ best: RunGroup, _ other: RunGroup) -> String {
    guard let gap = best.comparison(with: other, on: .finalAccuracy) else { return "" }
    let points = Format.number(abs(gap.difference.mean)), n = gap.difference.n
    let text = " That is \(points) points of accuracy \(gap.difference.mean < 0 ? "below" : "above") \(other.id)"
    guard n > 1 else { return text + " on one seed, which says nothing about chance." }
    guard let p = gap.tTest else { return text + " on \(n) seeds." }
    let value = (p < 0.001 ? "p\u{A0}" : "p\u{A0}=\u{A0}") + Format.p(p)
    let caution = groups.count > 2 ? ", not corrected for \(groups.count) methods" : ""
    return text + " over \(n) seeds (paired t\u{2011}test, \(value)\(caution))."
  }
}
