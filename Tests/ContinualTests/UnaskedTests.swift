import Continual
import Evaluation
import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

/// Rows in which nothing is to be predicted.
@Suite struct UnaskedTests {
  private let recorder = Recorder()

  /// A masked predictor that learns these rows; token 2 and 3 are special.
  private func trainer(
    _ rows: [[Int32]], batchSize: Int = 1, accumulation: Int = 1
  ) throws -> Trainer {
    let data = Dataset(name: "one", labels: [], examples: [])
    let stream = TaskStream(name: "s", experiences: [Experience(name: "one", train: data, test: data)])
    let loaded = try ModelIndex.loadMasked(Golden.url("bert-tiny"), dtype: .float32, device: .cpu, seed: 0)
    let examples = rows.enumerated().map { index, tokens in
      TokenizedExample(id: "r\(index)", tokens: tokens, firstLength: tokens.count, target: -1, experience: 0)
    }
    let learner = Learner(
      model: MaskedPredictor(loaded.model, parameters: loaded.parameters), stream: stream, device: .cpu, seed: 0,
      objective: MaskedTokens(mask: 4, special: [1, 2, 3], vocabularySize: 100)
    ) { _ in TokenizedExperience(train: examples, validation: [], test: examples) }
    var settings = TrainingSettings()
    (settings.batchSize, settings.accumulation, settings.shuffle) = (batchSize, accumulation, false)
    (settings.precision, settings.learningRate) = (.fp32, 1e-3)
    return Trainer(
      learner: learner, methods: [], settings: settings, evaluation: EvaluationSettings(), observer: recorder)
  }

  private let asked: [Int32] = [2, 60, 61, 62, 3], unasked: [Int32] = [2, 1, 3]

  @Test func aPassWithoutLabelsContributesNothing() throws {
    let trainer = try trainer([asked, unasked], accumulation: 2)
    try trainer.run()
    #expect(recorder.losses.count == 1 && recorder.losses.allSatisfy(\.isFinite))
    let alone = try UnaskedTests().losses([asked])
    #expect(recorder.losses == alone)
    #expect(trainer.progress.loss?[after: 0, on: 0]?.isFinite == true)
  }

  private func losses(_ rows: [[Int32]]) throws -> [Double] {
    try trainer(rows).run()
    return recorder.losses
  }

  @Test func anUpdateWithoutLabelsIsNamed() throws {
    let trainer = try trainer([asked, unasked])
    let error = #expect(throws: TrainingError.self) { try trainer.run() }
    #expect(
      error?.description
        == "update 1 of experience 'one' has no token to predict: nothing is asked in any of its items (r1). Remove them, "
        + "or raise training.batchSize.")
  }

  @Test func thereIsNoLossOfNothing() throws {
    let trainer = try trainer([unasked])
    let measured = try trainer.learner.evaluate(
      trainer.learner.data(of: trainer.learner.stream.experiences[0]).test, methods: [], settings: EvaluationSettings())
    #expect(measured.loss == nil && measured.accuracy == nil)
  }

  @Test func objectivesKnowWhatTeaches() {
    func row(_ tokens: [Int32], _ documents: [Int32] = []) -> TokenizedExample {
      var row = TokenizedExample(id: "r", tokens: tokens, firstLength: tokens.count, target: -1, experience: 0)
      row.documents = documents
      return row
    }
    let masked = MaskedTokens(mask: 4, special: [1, 2, 3], vocabularySize: 100), next = NextToken(end: nil)
    #expect(masked.teaches(row(asked)) && !masked.teaches(row(unasked)))
    #expect(
      next.teaches(row([5, 6])) && next.teaches(row([5, 6, 7], [1, 2])) && !next.teaches(row([5, 6], [1, 1])))
    #expect(PrefixLanguageModelling(end: 1).teaches(row([5, 6])))
  }
}
