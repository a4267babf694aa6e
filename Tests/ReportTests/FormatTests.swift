import Evaluation
import Testing

@testable import Report

@Suite struct FormatTests {
  @Test func numbersUseATrueMinusAndNoNegativeZero() {
    #expect(Format.number(-7.54) == "−7.5")
    #expect(Format.number(-0.04) == "0.0")
    #expect(Format.signed(0.04) == "0.0" && Format.signed(3) == "+3.0")
  }

  @Test(arguments: [(1e-4, "1e-4"), (2.5e-5, "2.5e-5"), (1e-3, "1e-3"), (0, "0"), (0.3, "3e-1")])
  func ratesAreScientific(value: Double, text: String) { #expect(Format.rate(value) == text) }

  @Test(arguments: [(999, "999 B"), (1500, "1.5 kB"), (88_000_000, "88 MB"), (12_340_000_000, "12.3 GB")])
  func bytesHaveThreeDigits(value: Double, text: String) { #expect(Format.bytes(value) == text) }

  @Test(arguments: [(2.34, "2.3 s"), (59.7, "1 min 0 s"), (75, "1 min 15 s"), (7260, "2 h 1 min")])
  func durationsUseTwoUnits(value: Double, text: String) { #expect(Format.seconds(value) == text) }

  @Test func longNamesAreCut() {
    #expect(Format.short("letters & more", limit: 9) == "letters…")
    #expect(Format.short("sea", limit: 9) == "sea")
  }
}

@Suite struct HTMLTests {
  @Test func controlCharactersAndQuotesCannotEscapeAnAttribute() {
    let html = element("p", ["title": "a\" onload='x'\u{0}\u{1b}"]) { "<&>" }
    #expect(html.text == "<p title=\"a&quot; onload=&#39;x&#39;\">&lt;&amp;&gt;</p>")
  }
}

@Suite struct DrawingTests {
  @Test func axisEndsAtRoundNumbers() {
    let axis = Axis([3.2, 87], count: 5) { Format.tick($0) }
    #expect(axis.ticks == [0, 20, 40, 60, 80, 100])
    #expect(axis.position(50) == 0.5)
  }

  @Test func anAxisOfOneValueHasARange() {
    let axis = Axis([5, .nan]) { Format.tick($0) }
    #expect(axis.low < 5 && axis.high > 5)
  }

  @Test func aMissingValueBreaksTheLine() {
    let chart = Chart(x: Axis(positions: 3), y: Axis([0, 10]) { Format.tick($0) })
    let path = chart.line([.init(x: 1, y: 1), .init(x: 2, y: .nan), .init(x: 3, y: 2)], "s0").text
    #expect(path.count(of: "M") == 2 && path.count(of: "L") == 0)
  }

  @Test func oklabKeepsItsLightnessInsideTheGamut() {
    #expect(OKLab(lightness: 1, chroma: 0, hue: 0).hex == "#ffffff")
    #expect(OKLab(lightness: 0, chroma: 0, hue: 0).hex == "#000000")
    // sRGB red is L 0.6280, C 0.2577, h 29.23 in OKLab.
    #expect(OKLab(lightness: 0.62796, chroma: 0.2577, hue: 29.234).hex == "#ff0000")
  }

  @Test func smoothingStopsAtABoundary() {
    let steps = (1...20).map { step in
      StepRecord(
        step: step, experience: step <= 10 ? 0 : 1, epoch: 0, loss: step <= 10 ? 1 : 3, learningRate: 1, tokens: 1,
        wallSeconds: 0)
    }
    #expect(Thinned(steps, through: 20) { $0.loss }.smoothed().points.map(\.y) == steps.map(\.loss))
  }

  @Test func aLongLogIsThinnedToItsMeans() {
    let steps = (1...3600).map {
      StepRecord(
        step: $0, experience: 0, epoch: 0, loss: Double($0), learningRate: 1, tokens: 1, wallSeconds: 0)
    }
    let points = Thinned(steps, through: 3600) { $0.loss }.points
    #expect(points.count == 360)
    #expect(points[0].y == 5.5)
  }
}
