import Evaluation

/// What the models can do besides what they learn: before any training, and after each experience.
struct AbilitySection {
  private let groups: [RunGroup]
  /// Those of the first group; a group that measures others is left out.
  private let abilities: [AbilityScores.Ability]

  init(groups: [RunGroup]) {
    let measured = groups.filter { $0.runs.contains { $0.abilities != nil } }
    let abilities = measured.first?.runs.compactMap(\.abilities).first?.abilities ?? []
    self.abilities = abilities
    self.groups = measured.filter { group in
      group.runs.compactMap(\.abilities).allSatisfy { $0.abilities.map(\.name) == abilities.map(\.name) }
    }
  }

  var html: HTML? {
    guard !abilities.isEmpty else { return nil }
    return section(
      "Abilities", id: "abilities",
      note: "What is measured and never trained: percent, or for losses nats a token (smaller is better). The dashed "
        + "rule is the score before any training; the last line of a table is the change since then."
    ) {
      legend(groups)
      element("div", ["class": "grid", "style": "--min:280px"]) {
        abilities.enumerated().map { index, ability in panel(ability, index) }
      }
      element("div", ["class": "grid", "style": "--min:420px;margin-top:14px"]) { groups.map(card) }
    }
  }

  /// Of an ability, after so many experiences.
  private func cell(_ group: RunGroup, after count: Int, _ ability: Int) -> Summary? {
    Summary(
      group.runs.compactMap(\.abilities).compactMap { scores in
        let row = count == 0 ? scores.before : scores.row(count - 1)
        return row.isEmpty ? nil : row[ability].percent ?? row[ability].loss
      })
  }

  private func isLoss(_ ability: Int) -> Bool { abilities[ability].measure == "loss" }
  private func length(_ group: RunGroup) -> Int { group.runs.compactMap { $0.abilities?.rows.count }.max() ?? 0 }

  // MARK: Curves

  private func panel(_ ability: AbilityScores.Ability, _ index: Int) -> HTML {
    let count = groups.map(length).max() ?? 0
    let lines = groups.map { group in (0...count).map { cell(group, after: $0, index) } }
    let unit = isLoss(index) ? ", nats a token" : ""
    var chart = Chart(
      x: Axis(from: 0, through: Double(max(1, count)), count: min(8, max(1, count))) { Format.tick($0) },
      y: Axis(lines.flatMap { $0 }.compactMap { $0?.mean }, count: 4) { Format.tick($0) })
    (chart.width, chart.height, chart.left, chart.bottom, chart.top) = (300, 168, 36, 22, 10)
    return element("figure", ["class": "card"]) {
      element("h3") { ability.name + unit }
      chart.svg("\(ability.name) before training and after each experience") {
        lines.compactMap { $0.first.flatMap { $0 } }.first.map { before in
          chart.rule(
            "boundary", chart.left, chart.vertical(before.mean), chart.width - chart.right, chart.vertical(before.mean))
        }
        lines.enumerated().map { group, line in draw(line, group, index, chart) }
      }
    }
  }

  private func draw(_ line: [Summary?], _ group: Int, _ ability: Int, _ chart: Chart) -> HTML {
    let style = Palette.style(group)
    let points = line.enumerated().map { Chart.Point(x: Double($0.offset), y: $0.element?.mean ?? .nan) }
    return fragment {
      chart.line(points, style)
      points.enumerated().compactMap { count, point in
        line[count].map { summary in
          chart.dot(
            point, radius: 3, "dot \(style)", hint: "\(groups[group].id), after \(count): \(text(summary, ability))")
        }
      }
    }
  }

  // MARK: Tables

  private func card(_ group: RunGroup) -> HTML {
    element("figure", ["class": "card"]) {
      element("h3") { group.id }
      element("p", ["class": "note"]) { sentence(group) }
      element("div", ["class": "scroll"]) { table(group) }
    }
  }

  private func sentence(_ group: RunGroup) -> String {
    let parts: [(String, Summary?, Summary?, Int)] = [
      ("mean", group.abilities(\.finalMean), group.abilities(\.change), 1),
      ("mean loss", group.abilities(\.finalLoss), group.abilities(\.lossChange), 3),
    ]
    return parts.compactMap { name, end, change, decimals in
      end.map { end in
        let difference = change.map { " (\(Format.signed($0.mean, decimals: decimals)) since before)" } ?? ""
        return "\(name) at the end \(Format.plusMinus(end, decimals: decimals))\(difference)"
      }
    }.joined(separator: ", ")
  }

  private func table(_ group: RunGroup) -> HTML {
    let names = group.runs.first?.matrix.experiences ?? []
    return element("table") {
      element("thead") {
        element("tr") {
          element("th") { "after" }
          abilities.map { ability in
            element("th", ["title": "\(ability.name): \(ability.measure) of \(ability.examples)"]) {
              Format.short(ability.name, limit: 12)
            }
          }
        }
      }
      element("tbody") {
        (0...length(group)).map { count in
          row(count == 0 ? "before any" : names[count - 1]) { ability in
            cell(group, after: count, ability).map { text($0, ability) }
          }
        }
        row("change") { change(group, $0) }
      }
    }
  }

  private func row(_ name: String, _ value: (Int) -> String?) -> HTML {
    element("tr") {
      element("td") { name }
      abilities.indices.map { ability in element("td") { value(ability) ?? "·" } }
    }
  }

  private func change(_ group: RunGroup, _ ability: Int) -> String? {
    let rows = (1...max(1, length(group))).reversed()
    guard let before = cell(group, after: 0, ability),
      let last = rows.lazy.compactMap({ cell(group, after: $0, ability) }).first
    else { return nil }
    return Format.signed(last.mean - before.mean, decimals: isLoss(ability) ? 3 : 1)
  }

  private func text(_ summary: Summary, _ ability: Int) -> String {
    Format.plusMinus(summary, decimals: isLoss(ability) ? 3 : 1)
  }
}
