import Adapters
import Continual
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@Suite struct ProgressivePromptsTests {
  private func method(_ learner: Learner) -> ProgressivePrompts {
    ProgressivePrompts(configured { $0.length = 2 }, learner: learner)
  }

  private func toy(_ name: String) throws -> Toy {
    try Toy(
      try PromptToy.model(name), train: (0..<3).map { PromptToy.examples($0) },
      settings: { ($0.learningRate, $0.epochs, $0.weightDecay) = (0.3, 8, 1e-5) }
    ) { [method($0)] }
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func laterTasksLeaveEarlierPredictionsToTheBit(_ name: String) throws {
    let toy = try toy(name), method = try #require(toy.trainer.methods[0] as? ProgressivePrompts)
    var first: [Int: [Float]] = [:]
    toy.recorder.onEnd = { trainer in
      for experience in 0..<trainer.progress.experience {
        let scores = try toy.scores(experience, through: method).values()
        if let known = first[experience] { #expect(known == scores, "task \(experience)") }
        first[experience] = scores
      }
    }
    try toy.trainer.run()
    #expect(first.count == 3)
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func onlyTheNewPromptTrainsAndItLearns(_ name: String) throws {
    let toy = try toy(name)
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot()) }
    try toy.trainer.run()
    let final = toy.parameters.snapshot()
    #expect(starts[1].keys.filter { $0.hasPrefix("prompt.") }.sorted() == ["prompt.0.vectors", "prompt.1.vectors"])
    for (name, start) in starts[2] {
      let isSame = start.values() == final[name]?.values()
      #expect(isSame == (name != "prompt.2.vectors"), "\(name)")
    }
    let losses = toy.recorder.losses
    let (first, last) = (losses[0] + losses[1], losses[14] + losses[15])
    #expect(last < first - 0.3, "\(losses)")
  }

  /// Experiences of one head of shared classes: each predicts through the head it was trained with.
  @Test func encodersKeepTheirHeadsToo() throws {
    let run = try ToyRun { [method($0)] }
    let prompts = try #require(run.trainer.methods[0] as? ProgressivePrompts)
    var first: [Float]?
    run.recorder.onEnd = { (_: Trainer) in
      let logits = try prompts.predicting(0, learner: run.learner) { run.logits(0).values() }
      if let first { #expect(first == logits) }
      first = logits
    }
    try run.trainer.run()
    #expect(prompts.state.tensors.keys.sorted() == ["heads.0", "heads.1"])
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingChanges { method($0) } == [])
  }

  @Test func saysThatAPromptLeavesNoRoom() throws {
    let toy = try Toy(
      try Trace.model(), train: (0..<3).map { Toy.examples($0, seed: 1, length: 30) }
    ) { [ProgressivePrompts(configured { $0.length = 4 }, learner: $0)] }
    let error = #expect(throws: AdapterError.self) { try toy.trainer.run() }
    #expect(
      error?.errorDescription
        == "the model reads 40 tokens, and a prompt of 12 leaves no room for a text of 30. Set training.maxTokens to 28 "
        + "or less (a language model's answer counts too), or shorten the prompt.")
    #expect(
      AdapterError.packed.errorDescription
        == "a soft prompt stands in front of one text, and the rows hold several documents. "
        + "Set training.packing: none, or stream.")
  }
}
