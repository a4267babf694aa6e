import Evaluation
import Foundation
import Report
import Testing

/// Abilities in reports and comparisons.
@Suite struct AbilityReportTests {
  private func measured(_ methods: [String], seed: Int, end: Double, loss: Double) -> RunRecord {
    var record = run(methods, seed: seed)
    var scores = AbilityScores([
      .init(name: "choice <b>", measure: "scored", examples: 50), .init(name: "code", measure: "loss", examples: 5),
    ])
    scores.begin(with: [.init(percent: 60), .init(loss: 2)])
    scores.append(row: [.init(percent: 55), .init(loss: 2.1)])
    scores.append(row: [])
    scores.append(row: [.init(percent: end), .init(loss: loss)])
    record.abilities = scores
    return record
  }

  @Test func theReportShowsThemBeforeAndAfter() {
    let runs = [measured([], seed: 0, end: 50, loss: 2.5), measured([], seed: 1, end: 52, loss: 2.5)]
    let page = ReportPage.html(runs: runs, title: "t")
    #expect(page.contains("<h2>Abilities</h2>") && page.contains("choice &lt;b&gt; before training and after each"))
    #expect(page.contains("code, nats a token") && page.contains("before any"))
    #expect(page.contains("mean at the end 51.0 ± 1.4 (−9.0 since before), mean loss at the end 2.500 ± 0.000"))
    #expect(page.contains("fine-tuning, after 3: 51.0 ± 1.4"))
    #expect(page.contains("<td>−9.0</td><td>+0.500</td>"))
    #expect(!ReportPage.html(runs: [run([])], title: "t").contains("Abilities"))
  }

  @Test func tensorBoardHasThem() {
    let events = TensorBoard.events(
      of: measured([], seed: 0, end: 50, loss: 2.5), start: .init(timeIntervalSince1970: 0))
    #expect(events.ranges(of: Data("ability/code".utf8)).count == 2)
  }

  @Test func aComparisonHasTheirMeanAndItsChange() {
    let runs = [measured([], seed: 0, end: 50, loss: 2.5), measured(["migu"], seed: 0, end: 58, loss: 2.25)]
    let lines = ComparisonTable.text(runs + [run(["er"])]).split(separator: "\n").map(String.init)
    #expect(lines[0].contains("abilities  Δ abilities  ability loss  Δ ability loss"))
    #expect(lines[1].contains("50.0        −10.0         2.500          +0.500"))
    #expect(lines[2].contains("58.0         −2.0         2.250          +0.250"))
    #expect(lines[3].contains("–            –             –               –"))
    #expect(ComparisonTable.text([run([])]).contains("abilit") == false)
  }
}
