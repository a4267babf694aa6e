import Evaluation
import Foundation
import Testing

@testable import Report

@Suite struct TensorBoardTests {
  /// The bytes that tensorboard 2.21's own RecordWriter and Event message give.
  @Test func theBytesAreTensorBoards() {
    var file = EventFile(date: 1_700_000_000.5)
    file.add("train/loss", 0.1, step: 300, date: 1_700_000_001.25)
    let expected =
      "GAAAAAAAAACjf0siCQAAIED8VNlBGg1icmFpbi5FdmVudDoyKzUxECEAAAAAAAAAAXvs9gkAAFBA/FTZQRCsAioTChEKCnRyYWluL2xvc3MVzczMPX"
      + "RdzGs="
    #expect(file.data.base64EncodedString() == expected)
  }

  @Test func aRunHasItsCurvesAndAccuracies() {
    var record = run(["migu"])
    record.steps = [
      StepRecord(step: 7, experience: 0, epoch: 0, loss: 2, learningRate: 1e-3, tokens: 5, wallSeconds: 1.5)
    ]
    let start = Date(timeIntervalSince1970: 1000)
    var expected = EventFile(date: 1000)
    expected.add("train/loss", 2, step: 7, date: 1001.5)
    expected.add("train/learning rate", 1e-3, step: 7, date: 1001.5)
    let events = TensorBoard.events(of: record, start: start)
    #expect(events.starts(with: expected.data))
    for name in record.matrix.experiences { #expect(events.range(of: Data("accuracy/\(name)".utf8)) != nil) }
    #expect(events.range(of: Data("gradient norm".utf8)) == nil)
  }
}
