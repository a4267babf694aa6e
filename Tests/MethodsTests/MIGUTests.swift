import Continual
import Methods
import TestSupport
import Testing

@Suite struct MIGUTests {
  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [MIGU(.init(), learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "migu") == [])
  }

  @Test func sumsTheStatisticOverAccumulatedBatches() throws {
    let trace = try Trace(settings: { ($0.accumulation, $0.epochs) = (2, 3) }) { [MIGU(.init(), learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "migu-accumulated") == [])
  }
}
