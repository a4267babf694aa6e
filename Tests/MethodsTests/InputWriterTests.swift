import Adapters
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

/// SAPT-LoRA whose earlier inputs are written.
@Suite struct InputWriterTests {
  private func toy(_ name: String, _ data: [[TokenizedExample]], updates: Int = 2) throws -> (Toy, SAPTLoRA) {
    var method: SAPTLoRA?
    let toy = try Toy(try PromptToy.model(name), train: data, settings: { $0.shuffle = true }) { learner in
      let made = SAPTLoRA(
        configured { configuration in
          (configuration.rank, configuration.queryWidth, configuration.pseudo) = (2, 6, .written)
          (configuration.pseudoRatio, configuration.targets) = (0.5, [])
          (configuration.writer.updates, configuration.writer.maxTokens) = (updates, 8)
        }, learner: learner)
      method = made
      return [made]
    }
    return (toy, try #require(method))
  }

  private func data() -> [[TokenizedExample]] { (0..<3).map { PromptToy.examples($0) } }

  @Test(arguments: ["t5-gated", "llama-tied"]) func learnsToWriteTheInputsAndLeavesTheModelAsItWas(
    _ name: String
  ) throws {
    let end: [Int32] = name == "t5-gated" ? [1] : []
    let inputs = [[20, 31, 42, 13], [40, 11, 22]].map { $0 + end }
    let examples = (0..<8).map { index in
      TokenizedExample(
        id: "\(index)", tokens: inputs[index % 2], firstLength: inputs[index % 2].count, target: 0, answer: [7, 1],
        experience: 0)
    }
    let (toy, _) = try toy(name, [examples])
    let learner = toy.learner, before = learner.parameters.snapshot()
    let attached = try AdapterSet(
      LoRA.Configuration(rank: 2, alpha: 2, dropout: 0), on: [], index: 0, seed: 1, in: learner.parameters)
    let set = try AdapterSet(
      LoRA.Configuration(rank: 8, alpha: 16, dropout: 0), on: ["all"], index: 1, seed: 2, in: learner.parameters)
    var configuration = InputWriter.Configuration()
    (configuration.updates, configuration.learningRate, configuration.batchSize) = (250, 1e-2, 4)
    (configuration.maxTokens, configuration.topK, configuration.repetitionPenalty) = (8, 2, 1)
    learner.begin(learner.stream.experiences[0])
    let written = try InputWriter(configuration, of: learner.stream.experiences[0], learner).write(12, with: set)
    let found = written.map(\.tokens)
    #expect(written.count == 12 && Set(written.map(\.id)).count == 12)
    #expect(found.count { inputs.contains($0) } >= 9, "\(found)")
    #expect(Set(found).count > 1)
    let after = learner.parameters.snapshot { !attached.contains($0) }
    #expect(areSame(before, after) && attached.adapters.allSatisfy(\.isEnabled))
    #expect(learner.parameters.linears.flatMap(\.attachments).count == attached.adapters.count)
  }

  @Test func asManyInputsAreWrittenAsWouldBeStored() throws {
    let (toy, method) = try toy("t5-tied", data())
    try toy.trainer.run()
    for index in 0..<3 {
      let inputs = method.state.exemplars["pseudo.\(index)"] ?? []
      #expect(inputs.count <= 4 && !inputs.isEmpty && inputs.allSatisfy { $0.experience == index && $0.answer.isEmpty })
      #expect(method.state["attention"]["\(index)"]?.shape == [index + 1])
      #expect(inputs.allSatisfy { input in !data()[index].contains { $0.tokens == input.tokens } })
    }
    #expect(toy.parameters.all.filter { $0.role == .adapter }.allSatisfy { !$0.name.contains(".lora.3.") })
  }

  @Test func goesOnFromACheckpointWithTheSameBits() throws {
    let (whole, first) = try toy("llama-tied", data()), (resumed, second) = try toy("llama-tied", data())
    whole.recorder.onUpdate = { trainer, optimizer in
      guard trainer.progress.experience == 1, trainer.progress.step == 2 else { return }
      for experience in resumed.learner.stream.experiences.prefix(2) {
        resumed.learner.begin(experience)
        try second.prepare(experience, learner: resumed.learner)
      }
      resumed.parameters.restore(trainer.learner.parameters.snapshot())
      resumed.learner.touch(trainer.learner.touched)
      var state = first.state
      state.tensors = state.tensors.mapValues { $0.mapValues { $0.clone() } }
      second.state = state
      resumed.trainer.progress = trainer.progress
      resumed.trainer.progress.optimizerState = optimizer.state.mapValues { $0.clone() }
    }
    try whole.trainer.run()
    try resumed.trainer.run()
    #expect(unequal(whole.parameters.snapshot(), resumed.parameters.snapshot()) == [])
    #expect(first.state.exemplars == second.state.exemplars)
    #expect(unequal(first.state["attention"], second.state["attention"]) == [])
  }

  @Test func saysWhatCannotBeWritten() throws {
    let toy = try Toy(try Trace.model(), train: [Toy.examples(0, seed: 0)]) {
      [SAPTLoRA(configured { $0.pseudo = .written }, learner: $0)]
    }
    let error = #expect(throws: SAPTLoRAError.cannotWrite) { try toy.trainer.run() }
    #expect(
      error?.errorDescription
        == "sapt-lora with pseudo: written has the model write inputs, and this one answers with a class. Set pseudo: "
        + "replay, or choose a language model (jay list models).")
    #expect(
      SAPTLoRAError.writerDiverged(experience: "qa", update: 7).errorDescription
        == "the adapter that writes inputs of 'qa' diverged at its update 7. Lower writer.learningRate of sapt-lora.")
  }
}
