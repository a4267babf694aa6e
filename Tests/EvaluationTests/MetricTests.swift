import Evaluation
import Testing

/// Values by hand from the formulas; a nil means "not defined".
private struct Golden: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let matrix: AccuracyMatrix
  var references = Metric.References()
  let expected: [String: Double?]
}

private let goldens = [
  Golden(
    testDescription: "the matrix on which six libraries tell six stories",
    matrix: matrix([[80], [70, 85], [90, 60, 88]]),
    expected: [
      "acc": 238.0 / 3, "aia": (80 + 77.5 + 238.0 / 3) / 3, "learning-accuracy": 253.0 / 3, "worst-task": 60,
      "bwt.gem": -7.5, "bwt.diaz-rodriguez": -25.0 / 3, "forgetting.chaudhry": 7.5, "forgetting.clipped": 12.5,
      "fwt.gem": nil, "fwt.survey": nil, "intransigence": nil, "intransigence.mean": nil,
    ]),
  Golden(
    testDescription: "the survey's full 3×3 matrix, with every reference",
    matrix: matrix([[90, 10, 10], [70, 80, 10], [50, 60, 90]], before: [8, 6, 4]),
    references: Metric.References(singleTask: [91, 84, 88], joint: [90, 85, 93]),
    expected: [
      "acc": 200.0 / 3, "aia": (90 + 75 + 200.0 / 3) / 3, "learning-accuracy": 260.0 / 3, "worst-task": 50,
      "bwt.gem": -30, "bwt.diaz-rodriguez": (-20 - 40 - 20) / 3.0, "forgetting.chaudhry": 30, "forgetting.clipped": 30,
      "fwt.gem": (10 - 6 + 10 - 4) / 2.0, "fwt.survey": (80 - 84 + 90 - 88) / 2.0,
      "intransigence": 3, "intransigence.mean": (0 + 5 + 3) / 3.0,
    ]),
  Golden(
    testDescription: "the language-model card's matrix",
    matrix: matrix([[80], [60, 70], [50, 65, 90]]),
    expected: ["acc": 205.0 / 3, "bwt.gem": -17.5, "forgetting.chaudhry": 17.5, "forgetting.clipped": 17.5]),
  Golden(
    testDescription: "one experience has no transfer",
    matrix: matrix([[80]], before: [20]),
    expected: [
      "acc": 80, "aia": 80, "learning-accuracy": 80, "worst-task": 80, "bwt.gem": nil, "bwt.diaz-rodriguez": nil,
      "forgetting.chaudhry": nil, "forgetting.clipped": nil, "fwt.gem": nil, "fwt.survey": nil,
    ]),
  Golden(
    testDescription: "a run under way counts what it has trained",
    matrix: matrix([[80, nil, nil], [70, 90, nil]]),
    expected: ["acc": 80, "aia": 80, "bwt.gem": -10, "forgetting.chaudhry": 10, "learning-accuracy": 85]),
  Golden(
    testDescription: "a missing final cell leaves undefined what needs it",
    matrix: matrix([[80], [70, 85], [nil, 60, 88]]),
    expected: [
      "acc": nil, "aia": nil, "worst-task": nil, "bwt.gem": nil, "bwt.diaz-rodriguez": nil,
      "forgetting.chaudhry": nil, "forgetting.clipped": nil, "learning-accuracy": 253.0 / 3,
    ]),
  Golden(
    testDescription: "a missing middle cell leaves backward transfer defined and forgetting not",
    matrix: matrix([[80], [nil, 85], [90, 60, 88]]),
    expected: ["bwt.gem": -7.5, "bwt.diaz-rodriguez": nil, "forgetting.chaudhry": nil, "aia": nil]),
  Golden(
    testDescription: "a score before its own training enters the maximum where it was measured",
    matrix: matrix([[80, 95, nil], [70, 85, nil], [60, 75, 90]]),
    expected: ["forgetting.chaudhry": 20, "bwt.gem": -15]),
  Golden(testDescription: "no rows", matrix: matrix([], before: [10, 20]), expected: ["acc": nil, "fwt.gem": nil]),
]

@Suite struct MetricTests {
  @Test(arguments: goldens) fileprivate func metricMatchesTheHandValue(golden: Golden) throws {
    for (id, expected) in golden.expected {
      let value = try #require(Metric.named(id)).compute(golden.matrix, references: golden.references)
      if let expected { #expect(value.isNear(expected), "\(id)") } else { #expect(value == nil, "\(id)") }
    }
  }

  @Test func forgettingIsMinusBackwardTransferWhenTheBestIsOnTheDiagonal() throws {
    let a = matrix([[90], [80, 70], [60, 65, 75], [55, 60, 70, 85]])
    let forgetting = try #require(Metric.forgetting.compute(a))
    #expect(Metric.backwardTransfer.compute(a).isNear(-forgetting))
  }

  @Test func everyMetricCarriesItsDefinition() {
    #expect(Set(Metric.all.map(\.id)).count == Metric.all.count)
    for metric in Metric.all {
      #expect(!metric.formula.isEmpty && metric.source.url.hasPrefix("https://"), "\(metric.id)")
    }
  }

  @Test func valuesHoldOnlyWhatIsDefined() {
    let values = Metric.values(of: matrix([[80]]))
    #expect(Set(values.keys) == ["acc", "aia", "learning-accuracy", "worst-task"])
  }
}
