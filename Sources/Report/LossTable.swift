import Evaluation

/// Losses of a model that is pretrained, by method: matrices in nats a token.
struct LossTable {
  let groups: [RunGroup]

  var html: HTML? {
    let shown = groups.filter { $0.meanLoss != nil }
    guard !shown.isEmpty else { return nil }
    return section(
      "Loss", id: "loss",
      note: "Mean cross-entropy of the predicted tokens, in nats; smaller is better. Row: after training on an "
        + "experience. Column: measured on one. The last line is the change from just after an experience was learned to the end."
    ) {
      element("div", ["class": "grid", "style": "--min:420px"]) {
        shown.map { group in
          element("figure", ["class": "card"]) {
            element("h3") { group.id }
            element("p", ["class": "note"]) { summary(group) }
            element("div", ["class": "scroll"]) { group.meanLoss.map(table) }
          }
        }
      }
    }
  }

  private func summary(_ group: RunGroup) -> String {
    let parts = [("at the end", group.finalLoss), ("rise", group.lossRise)].compactMap { name, value in
      value.map { "\(name) \(Format.plusMinus($0, decimals: 3))" }
    }
    return parts.joined(separator: ", ")
  }

  private func table(_ matrix: AccuracyMatrix) -> HTML {
    element("table") {
      element("thead") {
        element("tr") {
          element("th") { "after" }
          matrix.experiences.map { name in element("th", ["title": name]) { Format.short(name, limit: 12) } }
        }
      }
      element("tbody") {
        matrix.before.flatMap { isMeasured($0) ? row("before any", $0) : nil }
        (0..<matrix.count).filter { isMeasured(matrix.rows[$0]) }.map { row(matrix.experiences[$0], matrix.rows[$0]) }
        if matrix.count > 1 { row("change", changes(matrix), isSigned: true) }
      }
    }
  }

  private func isMeasured(_ row: [Double?]) -> Bool { row.contains { $0 != nil } }

  private func changes(_ matrix: AccuracyMatrix) -> [Double?] {
    matrix.experiences.indices.map { column in
      guard column < matrix.count - 1, let last = matrix[after: matrix.count - 1, on: column],
        let first = matrix[after: column, on: column]
      else { return nil }
      return last - first
    }
  }

  private func row(_ name: String, _ values: [Double?], isSigned: Bool = false) -> HTML {
    element("tr") {
      element("td") { name }
      values.map { value in
        element("td") {
          value.map { isSigned ? Format.signed($0, decimals: 3) : Format.number($0, decimals: 3) } ?? "·"
        }
      }
    }
  }
}
