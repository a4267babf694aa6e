import Evaluation
import Foundation
import Testing

@testable import Recipes

@Suite struct GateTests {
  private let matrix = AccuracyMatrix(
    experiences: ["a", "b", "c"], rows: [[80, nil, nil], [70, 85, nil], [90, 60, 88]])

  @Test func everyBoundIsJudgedAndTheExcessIsSaid() {
    let verdict = Gate(maxForgetting: 2, minAccuracy: 79, maxDrop: 20).judge(matrix, run: "r")
    #expect(!verdict.isPassed)
    #expect(
      verdict.text == """
        FAIL  forgetting 7.50, limit 2.00: 5.50 points too far
        pass  final average accuracy 79.33, limit 79.00
        pass  drop on a -10.00, limit 20.00
        FAIL  drop on b 25.00, limit 20.00: 5.00 points too far
        failed
        """)
  }

  @Test func aBoundMetExactlyIsKept() {
    let matrix = AccuracyMatrix(experiences: ["a", "b"], rows: [[70.1, nil], [68.1, 80]])
    #expect(Gate(maxForgetting: 2, maxDrop: 2).judge(matrix, run: "r").isPassed)
    #expect(!Gate(maxForgetting: 1.99).judge(matrix, run: "r").isPassed)
  }

  @Test func oneExperienceForgetsNothing() {
    let matrix = AccuracyMatrix(experiences: ["a"], rows: [[70]])
    #expect(Gate(maxForgetting: 0, maxDrop: 0).judge(matrix, run: "r").isPassed)
  }

  /// As of `joint`, which is worth measuring only when it has seen everything.
  @Test func whatWasNotMeasuredIsNoPass() {
    let matrix = AccuracyMatrix(experiences: ["a", "b"], rows: [[nil, nil], [80, 85]])
    let verdict = Gate(maxForgetting: 2, minAccuracy: 50, maxDrop: 2).judge(matrix, run: "r")
    let reason = "not defined: the run did not measure every score that it is made of (jay report shows which)"
    #expect(!verdict.isPassed)
    #expect(
      verdict.text == """
        FAIL  forgetting \(reason)
        pass  final average accuracy 82.50, limit 50.00
        FAIL  drop on a \(reason)
        failed
        """)
    let unmeasured = AccuracyMatrix(experiences: ["a"], rows: [[nil]])
    #expect(!Gate(minAccuracy: 0).judge(unmeasured, run: "r").isPassed)
    #expect(Gate(maxForgetting: 0).judge(unmeasured, run: "r").isPassed)
  }

  @Test func onlyAFinishedRunIsJudged() throws {
    let run = try TinyRun()
    #expect(try Gate(minAccuracy: 0).judge(run.folder).isPassed)
    try FileManager.default.removeItem(at: run.directory.summary)
    #expect(
      run.scratch.sentence { _ = try Gate(minAccuracy: 0).judge(run.folder) }.contains(
        "is not finished. Finish it first: jay run --resume --out "))
  }
}
