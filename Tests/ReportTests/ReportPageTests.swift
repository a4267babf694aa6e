import Evaluation
import Report
import Testing

@Suite struct ReportPageTests {
  private let two = ReportPage.html(
    runs: (0..<3).flatMap { [run([], seed: $0, fall: 12), run(["migu"], seed: $0, fall: 5)] }, title: "A <title>")

  @Test func thePageNeedsNothingFromOutside() {
    #expect(!two.contains("<script") && !two.contains("<link") && !two.contains("@import") && !two.contains("src="))
    #expect(!two.contains("url("))
    #expect(two.hasPrefix("<!doctype html>"))
    #expect(two.contains("prefers-color-scheme:dark"))
  }

  @Test func textFromTheRunIsEscaped() {
    #expect(two.contains("A &lt;title&gt;") && !two.contains("<title>A <title>"))
    #expect(two.contains("sea &lt;b&gt;") && !two.contains("sea <b>"))
    #expect(two.contains("sky &amp; co"))
    #expect(two.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
  }

  @Test func eachMethodHasOneHeatMap() {
    #expect(two.count(of: #"class="heat""#) == 2)
    #expect(two.contains("Accuracy matrix of fine-tuning") && two.contains("Accuracy matrix of migu"))
  }

  @Test func cellsHoldTheMeanOverSeeds() {
    // 90 − 2·12 + mean(0, 1, 2) and 90 − 2·5 + 1
    #expect(two.contains("after sky &amp; co, on farm: 67.00 ± 1.00"))
    #expect(two.contains("after sky &amp; co, on farm: 81.00 ± 1.00"))
    #expect(two.contains("after farm, on sea &lt;b&gt;: not evaluated"))
  }

  /// The log sees it at some steps only.
  @Test func thePeakIsTheRunsOwn() {
    var runs = [run(["migu"]), run(["migu"], seed: 1)]
    #expect(ReportPage.html(runs: runs, title: "").contains("<td>1 MB</td>"))
    runs[1].peakBytes = 3_000_000
    #expect(ReportPage.html(runs: runs, title: "").contains("<td>3 MB</td>"))
  }

  @Test func headlineAndTableMarkTheBest() {
    // Four cards; both learn equally well, so both are best there.
    #expect(two.count(of: #"class="pill""#) == 5)
    #expect(two.contains(#"<td class="best">80.6"#))
  }

  @Test func theOutcomeIsSaidWithItsUncertainty() {
    #expect(two.contains("migu ends at 80.6 ± 0.3 %"))
    #expect(two.contains("above fine-tuning on 3 seeds."), "the same on every seed")
    let spread = (0..<3).flatMap { [run([], seed: $0, fall: 12), run(["migu"], seed: $0, fall: 5 + Double($0))] }
    #expect(
      ReportPage.html(runs: spread, title: "Demo").contains("above fine-tuning over 3 seeds (paired t\u{2011}test, p"))
    let one = ReportPage.html(runs: [run([]), run(["migu"], fall: 5)], title: "Demo")
    #expect(one.contains("on one seed, which says nothing about chance."))
  }

  @Test func everyMetricIsDefinedBelowTheTable() {
    for metric in Metric.all {
      #expect(two.contains("<code>\(metric.id)</code>"))
      #expect(two.contains(metric.source.url))
    }
    #expect(two.contains("Not computed: needs a jointly trained model"))
  }

  @Test func theRunCanBeRepeatedFromThePage() {
    #expect(two.contains("jay run runs/a/recipe.yaml --seeds 2"))
    #expect(two.contains("cpu, 2 threads"))
    #expect(two.contains("All 6 runs"))
  }

  @Test func oneRunHasNoComparison() {
    let page = ReportPage.html(runs: [run(["migu"])], title: "One")
    #expect(!page.contains("Against ") && !page.contains(#"class="legend""#) && !page.contains(#"class="pill""#))
    #expect(!page.contains("±</small>") && page.contains("The run"))
  }

  @Test func aRunThatHasNotEvaluatedYetStillHasAPage() {
    var empty = run(["migu"])
    empty.matrix = AccuracyMatrix(experiences: ["farm"])
    empty.steps = []
    let page = ReportPage.html(runs: [empty], title: "New")
    #expect(page.contains("Nothing has been evaluated yet."))
    #expect(page.contains("0 of 1 trained"))
    #expect(!page.contains(#"class="heat""#))
  }

  @Test func aSweepIsQuotedAtTheChosenRateAndHasAFrontier() {
    let runs = [1e-4, 1e-3].flatMap { rate in
      (0..<2).map { run(["migu"], seed: $0, rate: rate, fall: rate == 1e-4 ? 5 : 15) }
    }
    let page = ReportPage.html(runs: runs, title: "Sweep")
    #expect(page.contains(#"id="frontier""#) && page.contains("chosen by validation accuracy"))
    #expect(page.count(of: #"class="heat""#) == 1)
    #expect(page.count(of: #"class="ring""#) == 1)
    #expect(page.contains("All 4 runs"))
  }

  @Test func aRateChosenOnTheTestSetIsConfessed() {
    let runs = [1e-4, 1e-3].map { rate in
      var record = run(["migu"], rate: rate)
      record.validation = nil
      return record
    }
    #expect(ReportPage.html(runs: runs, title: "Sweep").contains("chosen on the test set"))
  }

  @Test func aLongSweepStaysReadable() {
    let runs = (0..<11).flatMap { m in
      (0..<5).flatMap { r in (0..<3).map { run(["method-\(m)"], seed: $0, rate: pow10(r), fall: Double(m)) } }
    }
    let page = ReportPage.html(runs: runs, title: "Many")
    #expect(page.count(of: #"class="heat""#) == 11)
    #expect(page.utf8.count < 600_000)
  }

  private func pow10(_ exponent: Int) -> Double { (0..<exponent).reduce(1e-5) { value, _ in value * 10 } }
}
