import Adapters
import Continual
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

/// Texts that are longer than those of the stream, behind prompts.
@Suite struct PromptRoomTests {
  @Test func anEncoderRefusesATextThatItsPromptLeavesNoPositionsFor() throws {
    let toy = try Toy(try Trace.model(), train: [Toy.examples(0, seed: 1)]) {
      [ProgressivePrompts(configured { $0.length = 4 }, learner: $0)]
    }
    try toy.trainer.run()
    try toy.learner.predicting(0, methods: toy.trainer.methods) { #expect(toy.learner.promptLength == 4) }
    func predict(_ length: Int) throws {
      _ = try toy.learner.predict(
        Toy.examples(0, count: 2, seed: 3, length: length), methods: toy.trainer.methods, settings: EvaluationSettings()
      )
    }
    #expect(throws: Never.self) { try predict(36) }
    #expect(throws: AdapterError.noRoom(prompt: 4, text: 37, limit: 40)) { try predict(37) }
  }

  /// Its positions are relative: no text is too long.
  @Test func anEncoderDecoderHasRoomForAll() throws {
    let model = try PromptToy.model("t5-tied")
    #expect(model.positions == nil)
    var long = PromptToy.examples(0)
    long[0].tokens = (0..<model.maxLength + 8).map { Int32(5 + $0 % 50) }
    let toy = try Toy(model, train: [long], settings: { $0.epochs = 1 }) {
      [ProgressivePrompts(configured { $0.length = 4 }, learner: $0)]
    }
    #expect(throws: Never.self) { try toy.learner.checkRoom(forPrompt: 4, in: toy.learner.stream.experiences[0]) }
    #expect(try PromptToy.model("llama-grouped").positions == 64)
  }
}
