import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual

@Suite struct FisherTests {
  private func run() throws -> ToyRun {
    let run = try ToyRun(order: [0]) { _ in [] }
    for parameter in run.learner.parameters.all { parameter.isTrainable = parameter.role == .head }
    run.learner.begin(run.learner.stream.experiences[0])
    return run
  }

  private func fisher(
    _ run: ToyRun, _ estimator: FisherEstimator, examples: Int = 100, batchSize: Int = 1
  ) throws -> [Tensor] {
    try run.learner.fisher(
      of: run.learner.parameters.trainable, on: run.learner.stream.experiences[0], estimator: estimator,
      examples: examples, batchSize: batchSize)
  }

  /// On its head the model is a logistic regression over the features x: ∂/∂W = (p − e_y) xᵀ.
  private func logistic(_ run: ToyRun) -> (features: [[Float]], probabilities: [[Float]], targets: [Int]) {
    let examples = run.learner.data(of: run.learner.stream.experiences[0]).train
    let batch = run.learner.deviceBatch(Batch(examples))
    let model = run.learner.classifier
    let features = withoutGradient { model.features(batch, .evaluation) }
    let scores = withoutGradient { model.heads(features, batch, .evaluation).scores.values }
    func rows(_ tensor: Tensor) -> [[Float]] { (0..<tensor.size(0)).map { tensor.at(0, $0).values() } }
    return (rows(features), rows(scores.softmax(1)), examples.map(\.target))
  }

  @Test func perSampleIsTheAnalyticFisherOfALogisticModel() throws {
    let run = try run()
    let model = logistic(run)
    var expected = [Double](repeating: 0, count: 3 * 32)
    for ((x, p), y) in zip(zip(model.features, model.probabilities), model.targets) {
      for row in 0..<3 {
        for column in 0..<32 {
          let gradient = Double((p[row] - (row == y ? 1 : 0)) * x[column])
          expected[row * 32 + column] += gradient * gradient / Double(model.targets.count)
        }
      }
    }
    let actual = try fisher(run, .perSample)[0]
    #expect(difference(actual, Tensor(expected.map(Float.init), shape: [3, 32]), atol: 1e-6, rtol: 1e-4) == nil)
  }

  /// Of a language model log p(y|x) is a sum over the tokens of the answer, whatever its loss is.
  @Test func answersOfSeveralTokensCountWhole() throws {
    let examples = PromptToy.examples(0).enumerated().map { index, example in
      var example = example
      if index % 2 == 0 { example.answer = [7] + example.answer }
      return example
    }
    let toy = try Toy(try PromptToy.model("t5-tied"), train: [examples]) { _ in [] }
    let learner = toy.learner, experience = learner.stream.experiences[0]
    learner.begin(experience)
    let model = try #require(learner.model as? any PredictsTokens)
    let parameter = try #require(learner.parameters.linears.first { $0.weight.role == .backbone }).weight
    parameter.isTrainable = true
    var expected = Tensor.zeros(parameter.shape)
    for example in examples {
      let batch = learner.deviceBatch(Batch([example]))
      let scores = model.labelScores(batch, .evaluation).logSoftmax(1)
      let chosen = example.answer.enumerated().map { scores.at(0, $0).at(0, Int($1)) }
      let gradient = try #require(Tensor.stacked(chosen).sum().gradients(of: [parameter.value])[0])
      expected = expected + gradient * gradient / Double(examples.count)
    }
    let actual = try learner.fisher(
      of: [parameter], on: experience, estimator: .perSample, examples: 100, batchSize: 1)
    #expect(difference(actual[0], expected, atol: 1e-7, rtol: 1e-3) == nil)
    #expect(expected.sum().item() > 1e-5)
  }

  @Test func oneBatchOfAllIsTheSquareOfTheMeanGradient() throws {
    let run = try run()
    let model = logistic(run)
    let expected = (0..<3).map { row -> Float in
      let mean = zip(model.probabilities, model.targets).reduce(0) { $0 + $1.0[row] - (row == $1.1 ? 1 : 0) } / 16
      return mean * mean
    }
    #expect(difference(try fisher(run, .batch, batchSize: 16)[1], Tensor(expected), atol: 1e-6) == nil)
  }

  @Test func sampledLabelsFollowTheModel() throws {
    let run = try run()
    let model = logistic(run)
    // Mean over seeds of (p − e_y)² is p(1 − p) where y is drawn from p.
    var mean = [Double](repeating: 0, count: 3)
    let seeds = 60
    for seed in 0..<seeds {
      let seeded = try ToyRun(order: [0], seed: UInt64(seed)) { _ in [] }
      for parameter in seeded.learner.parameters.all { parameter.isTrainable = parameter.role == .head }
      for (row, value) in try fisher(seeded, .sampled)[1].values().enumerated() {
        mean[row] += Double(value) / Double(seeds)
      }
    }
    for row in 0..<3 {
      let expected = model.probabilities.reduce(0.0) { $0 + Double($1[row] * (1 - $1[row])) } / 16
      #expect(abs(mean[row] - expected) < 0.03)
    }
  }

  @Test func theCapDrawsTheSameExamplesAgain() throws {
    let run = try run()
    let capped = try fisher(run, .perSample, examples: 5)
    #expect(try capped[0].values() == fisher(run, .perSample, examples: 5)[0].values())
    #expect(try capped[0].values() != fisher(run, .perSample)[0].values())
  }
}
