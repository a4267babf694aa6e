import Adapters
import Continual
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

/// The vector that a language model makes of a text.
@Suite struct FeaturesTests {
  private func toy(_ name: String) throws -> Toy {
    try Toy(try PromptToy.model(name), train: [PromptToy.examples(0)]) { _ in [] }
  }

  private func features(_ toy: Toy, _ examples: [TokenizedExample], withAnswers: Bool) throws -> Tensor {
    let model = try #require(toy.learner.model as? any Represents)
    let batch = toy.learner.deviceBatch(Batch(examples), withAnswers: withAnswers)
    return inference { model.features(batch, .evaluation) }
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func answersAndPaddingChangeNothing(_ name: String) throws {
    let toy = try toy(name), examples = PromptToy.examples(0)
    let together = try features(toy, examples, withAnswers: true)
    #expect(together.size(1) == (toy.learner.model as? any Represents)?.featureWidth)
    #expect(difference(try features(toy, examples, withAnswers: false), together, atol: 1e-5) == nil)
    for (row, example) in examples.enumerated() {
      for withAnswers in [false, true] {
        let alone = try features(toy, [example], withAnswers: withAnswers)
        #expect(difference(alone.at(0, 0), together.at(0, row), atol: 1e-5) == nil)
      }
    }
  }

  @Test func aDecodersIsTheMeanOfTheTextsStates() throws {
    let toy = try toy("llama-grouped"), example = PromptToy.examples(0)[0]
    let model = try ModelIndex.loadCausal(Golden.url("llama-grouped"), dtype: .float32, device: .cpu, seed: 0).model
    let tokens = Tensor(example.tokens.map(Int64.init), shape: [1, example.tokens.count])
    let states = inference { model.hidden(tokens, mask: nil, cache: nil, .evaluation) }
    #expect(difference(try features(toy, [example], withAnswers: true), states.mean(1), atol: 1e-5) == nil)
  }

  @Test func anEncoderDecodersLeavesSoftPromptsOut() throws {
    let loaded = try ModelIndex.loadSequenceToSequence(Golden.url("t5-tied"), dtype: .float32, device: .cpu, seed: 0)
    let model = Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
    let toy = try Toy(model, train: [PromptToy.examples(0)]) { _ in [] }
    let examples = PromptToy.examples(0), before = try features(toy, examples, withAnswers: true)
    let front = try AdapterSet(prompt: 3, index: 0, seed: 1, in: toy.parameters)
    let behind = try AdapterSet(prompt: 2, at: .behind, index: 1, seed: 1, in: toy.parameters)
    let read = try features(toy, examples, withAnswers: true)
    let example = try #require(examples.max { $0.tokens.count < $1.tokens.count }), length = example.tokens.count
    let row = try #require(examples.firstIndex(of: example))
    let states = inference {
      loaded.model.encode(Tensor(example.tokens.map(Int64.init), shape: [1, length]), mask: nil, .evaluation)
    }
    #expect(states.shape[1] == 3 + length + 2)
    #expect(difference(read.at(0, row), states.narrowed(1, 3..<3 + length).mean(1).at(0, 0), atol: 1e-5) == nil)
    #expect(difference(read, before, atol: 1e-3) != nil)
    let off = try [front, behind].disabled { try features(toy, examples, withAnswers: true) }
    #expect(difference(off, before, atol: 1e-6) == nil)
  }

  @Test func theTextEndsWhereTheAnswerBegins() {
    func mask(_ labels: [[Int64]], padding: [[Float]]?, _ layout: AnswerLayout = .behind) -> [Float]? {
      let shape = [labels.count, labels[0].count]
      let batch = DeviceBatch(
        tokens: .zeros(shape, dtype: .int64), segments: .zeros(shape, dtype: .int64),
        mask: padding.map { Tensor(Array($0.joined()), shape: shape) }, lengths: [],
        labels: Tensor(Array(labels.joined()), shape: shape), targets: [], experiences: [], candidates: [],
        candidateSets: [])
      return batch.textMask(layout)?.values()
    }
    let labels: [[Int64]] = [[-100, -100, 7, 8], [-100, 5, -100, -100]]
    #expect(mask(labels, padding: nil) == [1, 1, 1, 0, 1, 1, 0, 0])
    // A text without an answer, and one that is written from its first token on.
    #expect(mask([[-100, -100, -100], [3, 4, 5]], padding: [[1, 1, 0], [1, 1, 1]]) == [1, 1, 0, 1, 1, 1])
    #expect(mask(labels, padding: nil, .apart) == nil)
    #expect(mask([[-100, 1]], padding: [[1, 0]], .within) == [1, 0])
  }
}
