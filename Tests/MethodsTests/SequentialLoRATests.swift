import Adapters
import Continual
import Methods
import NN
import TestSupport
import Testing
import Torch

/// Rank 4, alpha 8, no dropout: the goldens' LoRA.
let goldenLoRA = configured(SequentialLoRA.Configuration.self) { ($0.rank, $0.alpha, $0.dropout) = (4, 8, 0) }

@Suite struct SequentialLoRATests {
  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [SequentialLoRA(goldenLoRA, learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "lora") == [])
  }

  @Test func trainsTheAdapterAndTheHeadsOnly() throws {
    let trace = try Trace { [SequentialLoRA(goldenLoRA, learner: $0)] }
    let before = trace.learner.parameters.snapshot { $0.role == .backbone }
    try trace.trainer.run()
    #expect(areSame(before, trace.learner.parameters.snapshot { $0.role == .backbone }))
    let trained = trace.learner.touched.filter { !$0.hasPrefix("heads.") }
    #expect(trained.count == 8 && trained.allSatisfy { $0.hasSuffix(".lora.0.a") || $0.hasSuffix(".lora.0.b") })
  }

  @Test func aModelWithoutItsTargetsIsRefusedBeforeTraining() throws {
    let wrong = configured(SequentialLoRA.Configuration.self) { $0.targets = ["q_proj"] }
    let trace = try Trace { [SequentialLoRA(wrong, learner: $0)] }
    #expect(throws: AdapterError.self) { try trace.trainer.run() }
  }

  @Test func hasThePapersDefaults() {
    let c = SequentialLoRA.Configuration()
    #expect(c.rank == 8 && c.alpha == 32 && c.dropout == 0.1 && c.targets.isEmpty)
  }
}
