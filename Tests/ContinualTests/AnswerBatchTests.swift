import NN
import Streams
import Testing
import Torch

@testable import Continual

/// Where answers stand in a batch.
@Suite struct AnswerBatchTests {
  private final class Stub: TaskModel {
    let parameters = ParameterStore(), maxLength = 64
    let answerLayout: AnswerLayout
    init(_ layout: AnswerLayout) { answerLayout = layout }
    func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput { ModelOutput(loss: .zeros([])) }
  }

  private func batch(_ layout: AnswerLayout, withAnswers: Bool = true) -> DeviceBatch {
    let data = Dataset(name: "one", labels: ["a", "b"], examples: [])
    let stream = TaskStream(name: "s", experiences: [Experience(name: "one", train: data, test: data)])
    let learner = Learner(model: Stub(layout), stream: stream, device: .cpu, seed: 0) { _ in
      TokenizedExperience(train: [], validation: [], test: [])
    }
    let examples = [
      TokenizedExample(id: "0", tokens: [5, 6, 7], firstLength: 3, target: 0, answer: [8, 2], experience: 0),
      TokenizedExample(id: "1", tokens: [9], firstLength: 1, target: 1, answer: [3, 4, 2], experience: 0),
    ]
    return learner.deviceBatch(Batch(examples), withAnswers: withAnswers)
  }

  @Test func apartTheAnswerIsARowOfItsOwn() {
    let batch = batch(.apart)
    #expect(batch.tokens.scalars(Int64.self) == [5, 6, 7, 9, 0, 0])
    #expect(batch.labels?.scalars(Int64.self) == [8, 2, -100, 3, 4, 2])
    #expect(batch.labelPlaces?.scalars(Int64.self) == [0, 1, 3, 4, 5])
    #expect(batch.lengths == [3, 1])
  }

  @Test func behindEachTokenWritesTheNext() {
    let batch = batch(.behind)
    #expect(batch.tokens.scalars(Int64.self) == [5, 6, 7, 8, 9, 3, 4, 0])
    #expect(batch.labels?.scalars(Int64.self) == [-100, -100, 8, 2, 3, 4, 2, -100])
    #expect(batch.labelPlaces?.scalars(Int64.self) == [2, 3, 4, 5, 6])
    #expect(batch.mask?.values() == [1, 1, 1, 1, 1, 1, 1, 0])
    #expect(batch.lengths == [4, 3])
  }

  @Test func withoutAnswersOnlyTheTextsAreThere() {
    let batch = batch(.behind, withAnswers: false)
    #expect(batch.tokens.scalars(Int64.self) == [5, 6, 7, 9, 0, 0])
    #expect(batch.labels == nil && batch.labelPlaces == nil)
    #expect(self.batch(.none).labels == nil)
  }

  @Test func theLossHasATermForEachTokenToWrite() {
    let written = TokenizedExample(id: "", tokens: [1], firstLength: 1, target: 0, answer: [1, 2, 3], experience: 0)
    let plain = TokenizedExample(id: "", tokens: [1], firstLength: 1, target: 0, experience: 0)
    #expect(Batch([written, written]).lossTerms == 6)
    #expect(Batch([plain, plain]).lossTerms == 2)
  }
}
