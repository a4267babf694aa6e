import Evaluation

/// Where the numbers come from: the line that repeats each run, recipe, environment, and every run behind a mean.
struct Provenance {
  let groups: [RunGroup]

  var html: HTML {
    section("Repeat it", id: "provenance", note: "The recipe is fully resolved: it and the seed reproduce the run.") {
      element("div", ["class": "card"]) {
        groups.map(repeatable)
        environment
        allRuns
      }
    }
  }

  private func repeatable(_ group: RunGroup) -> HTML {
    let commands = group.runs.map(\.command).filter { !$0.isEmpty }
    return element("details") {
      element("summary") { "\(group.id): command and recipe" }
      if !commands.isEmpty { element("pre") { commands.joined(separator: "\n") } }
      if let recipe = group.runs.first?.recipe, !recipe.isEmpty { element("pre") { recipe } }
    }
  }

  private var environment: HTML? {
    let environments = groups.flatMap(\.allRuns).map(\.environment)
    let keys = Set(environments.flatMap(\.keys)).sorted()
    guard !keys.isEmpty else { return nil }
    return element("details") {
      element("summary") { "Environment" }
      element("table") {
        keys.map { key in
          element("tr") {
            element("td") { key }
            element("td", ["class": "left wrap"]) {
              Set(environments.compactMap { $0[key] }).sorted().joined(separator: " · ")
            }
          }
        }
      }
    }
  }

  private var allRuns: HTML {
    element("details") {
      let runs = groups.flatMap(\.allRuns)
      element("summary") { runs.count == 1 ? "The run" : "All \(runs.count) runs" }
      element("div", ["class": "scroll"]) {
        element("table") {
          element("tr") {
            ["Run", "Method", "Rate", "Seed", "ACC", "F", "BWT", "Time"].enumerated().map { index, name in
              element("th", ["class": index == 1 ? "left" : ""]) { name }
            }
          }
          runs.map(row)
        }
      }
    }
  }

  private func row(_ run: RunRecord) -> HTML {
    element("tr") {
      element("td") { run.id }
      element("td", ["class": "left"]) { run.label }
      element("td") { run.learningRate.map(Format.rate) ?? "–" }
      element("td") { String(run.seed) }
      [Metric.finalAccuracy, .forgetting, .backwardTransfer].map { metric in
        element("td") { run.metrics[metric.id].map { Format.number($0, decimals: 2) } ?? "–" }
      }
      element("td") { run.wallSeconds.map(Format.seconds) ?? "–" }
    }
  }
}
