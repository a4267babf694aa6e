import Evaluation
import Foundation
import Testing

@Suite struct RunRecordTests {
  @Test func metricsFollowTheMatrixAndTheReferences() {
    var record = run("migu", learned: 80, final: 70)
    #expect(record.metrics["bwt.gem"] == -10)
    record.references.joint = [90, 90]
    #expect(record.metrics["intransigence"] == 10)
    record.matrix.append(experience: "new")
    record.matrix.append(row: [60, 70, 90])
    #expect(record.metrics["bwt.gem"] == -15)
  }

  @Test func decodingKeepsTheStoredMetrics() throws {
    var json = try String(decoding: JSONEncoder().encode(run("migu", learned: 80, final: 70)), as: UTF8.self)
    json = json.replacingOccurrences(of: #""bwt.gem":-10"#, with: #""bwt.gem":-9"#)
    let record = try JSONDecoder().decode(RunRecord.self, from: Data(json.utf8))
    #expect(record.metrics["bwt.gem"] == -9)
    #expect(Metric.values(of: record.matrix)["bwt.gem"] == -10)
  }

  @Test func itSurvivesJSON() throws {
    var record = run("migu", rate: 1e-4, learned: 80, final: 70, validation: 60)
    record.steps = [
      StepRecord(
        step: 1, experience: 0, epoch: 0.5, loss: 2.5, learningRate: 1e-4, tokens: 512, tokensPerSecond: 900,
        wallSeconds: 3)
    ]
    record.timings = [ExperienceTiming(experience: 0, trainSeconds: 10, evaluationSeconds: 2)]
    #expect(try JSONDecoder().decode(RunRecord.self, from: JSONEncoder().encode(record)) == record)
  }

  @Test func labelNamesTheMethodsInOrder() {
    var record = run("migu", learned: 80, final: 70)
    record.methods = ["migu", "replay"]
    record.variant = "buffer 500"
    #expect(record.label == "migu + replay (buffer 500)")
    record.methods = []
    record.variant = ""
    #expect(record.label == "fine-tuning")
  }
}
