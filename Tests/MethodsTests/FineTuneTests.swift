import Continual
import Methods
import TestSupport
import Testing

@Suite struct FineTuneTests {
  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [FineTune(.init(), learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "finetune") == [])
  }
}
