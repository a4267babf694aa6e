import Evaluation
import Foundation
import Report
import Testing

@Suite struct ComparisonTableTests {
  private let runs = (0..<3).flatMap { [run([], seed: $0, fall: 12), run(["migu"], seed: $0, fall: 5 - Double($0))] }

  @Test func textAlignsMethodsAgainstMetrics() {
    let lines = ComparisonTable.text(runs).split(separator: "\n")
    #expect(lines[0].hasPrefix("method       n "))
    #expect(lines[1].hasPrefix("fine-tuning  3  73.6 ± 0.3"))
    #expect(lines[2].hasPrefix("migu         3  81.6 ± 1.3"))
    #expect(lines[1].count == lines[2].count)
    #expect(lines[2].hasSuffix("0.250"))
  }

  @Test func notesSayWhatTheColumnsMean() {
    let text = ComparisonTable.text(runs)
    #expect(text.contains("BWT = bwt.gem") && text.contains("F = forgetting.chaudhry"))
    #expect(text.contains("against fine-tuning, paired by seed"))
  }

  @Test func markdownIsATable() {
    let lines = ComparisonTable.markdown(runs).split(separator: "\n")
    #expect(lines[0].hasPrefix("| method | n | ACC |"))
    #expect(lines[1].hasPrefix("| --- | ---: |"))
    #expect(lines[3].hasPrefix("| migu | 3 |"))
  }

  @Test func jsonHoldsTheNumbers() throws {
    let table = try JSONDecoder().decode(ComparisonTable.self, from: Data(ComparisonTable.json(runs).utf8))
    #expect(table.rows.map(\.method) == ["fine-tuning", "migu"])
    #expect(table.rows[0].againstFirst == nil)
    let pair = try #require(table.rows[1].againstFirst)
    #expect(abs(pair.difference.mean - 8) < 1e-9)
    #expect(pair.signFlip == 0.25)
    #expect(table.rows[1].metrics["acc"]?.n == 3)
  }

  @Test func whatStandsInOneStreamIsNotComparedWithAnother() throws {
    let others = runs.map { run in
      var run = run
      run.stream = "river"
      return run
    }
    let rows = ComparisonTable(runs + others).rows
    #expect(rows.map(\.first) == [nil, "fine-tuning · meadow", nil, "fine-tuning · river"])
    #expect(rows[3].againstFirst == rows[1].againstFirst && rows[2].againstFirst == nil)
    #expect(ComparisonTable.text(runs + others).contains("against the first of each stream and model, paired by seed"))
    let page = ReportPage.html(runs: runs + others, title: "Demo")
    #expect(page.contains("Against the first of each stream, paired by seed"))
    #expect(page.contains("each method is compared with the first of its own"))
  }

  @Test func oneMethodIsNotCompared() {
    let text = ComparisonTable.text([run(["migu"])])
    #expect(!text.contains("Δ") && !text.contains("±"))
  }
}
