import Evaluation

/// What each method costs: parameters, time, speed, memory.
struct CostTable {
  let groups: [RunGroup]

  var html: HTML? {
    let columns = Self.columns.filter { column in groups.contains { column.value($0.runs) != nil } }
    guard !columns.isEmpty else { return nil }
    return section("Cost", id: "cost", note: "Mean of one run at the quoted learning rate.") {
      element("div", ["class": "card scroll"]) {
        element("table") {
          element("thead") {
            element("tr") {
              element("th") { "Method" }
              columns.map { column in element("th") { column.name } }
            }
          }
          element("tbody") {
            groups.enumerated().map { index, group in
              element("tr") {
                nameCell(index, group)
                columns.map { column in element("td") { column.value(group.runs) ?? "–" } }
              }
            }
          }
        }
      }
    }
  }

  private struct Column {
    let name: String
    let value: ([RunRecord]) -> String?
  }

  private static var columns: [Column] {
    [
      Column(name: "Learning rate") { $0.first?.learningRate.map(Format.rate) },
      Column(name: "Trainable parameters", value: trainable),
      Column(name: "Wall time") { mean($0.compactMap(\.wallSeconds)).map(Format.seconds) },
      Column(name: "of it training") { runs in
        mean(runs.filter { !$0.timings.isEmpty }.map { $0.timings.map(\.trainSeconds).reduce(0, +) }).map(
          Format.seconds)
      },
      Column(name: "of it evaluation") { runs in
        mean(runs.filter { !$0.timings.isEmpty }.map { $0.timings.map(\.evaluationSeconds).reduce(0, +) })
          .map(Format.seconds)
      },
      Column(name: "Tokens/s, median") { runs in
        median(runs.flatMap { $0.steps.compactMap(\.tokensPerSecond) }).map(Format.count)
      },
      Column(name: "Peak memory") {
        $0.compactMap { $0.peakBytes ?? $0.steps.compactMap(\.residentBytes).max() }.max().map {
          Format.bytes(Double($0))
        }
      },
      Column(name: "Kept by method") { mean($0.compactMap { $0.bytesStored.map(Double.init) }).map(Format.bytes) },
    ]
  }

  private static func trainable(_ runs: [RunRecord]) -> String? {
    guard let run = runs.first, let trainable = run.trainableParameters else { return nil }
    let share = run.totalParameters.map { " (\(Format.number(100 * Double(trainable) / Double(max(1, $0)))) %)" } ?? ""
    return Format.count(Double(trainable)) + share
  }

  private static func mean(_ values: [Double]) -> Double? { Summary(values)?.mean }

  private static func median(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.sorted()[values.count / 2]
  }
}
