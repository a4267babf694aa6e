import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

/// The adapter methods on models that answer in text.
@Suite struct AnswererLoRATests {
  private static func model(_ name: String) throws -> any TaskModel {
    if name.hasPrefix("t5") {
      let loaded = try ModelIndex.loadSequenceToSequence(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
      return Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
    }
    let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    return CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
  }

  private static func targets(_ name: String) -> [String] {
    name.hasPrefix("t5") ? ["q", "v"] : ["q_proj", "v_proj"]
  }

  /// Two tasks of two classes each, answered by one token and by two.
  private static func trainer(_ name: String, _ method: (Learner) throws -> any ContinualMethod) throws -> Trainer {
    let options: [[Int32]] = [[7, 1], [9, 11, 1]]
    let stream = TaskStream(
      name: "answers",
      experiences: (0..<2).map { index in
        let data = Dataset(name: "\(index)", labels: ["x\(index)", "y\(index)"], examples: [])
        return Experience(name: "\(index)", train: data, test: data)
      })
    let learner = Learner(model: try model(name), stream: stream, device: .cpu, seed: 0) { experience in
      let examples = (0..<6).map { index in
        let length = 3 + index % 3, target = index % 2
        return TokenizedExample(
          id: "\(experience.index).\(index)",
          tokens: (0..<length).map { Int32(10 + (7 * index + 5 * $0 + experience.index) % 20) }, firstLength: length,
          target: 2 * experience.index + target, answer: options[target], experience: experience.index)
      }
      return TokenizedExperience(train: examples, validation: [], test: examples, options: options)
    }
    var settings = TrainingSettings()
    (settings.epochs, settings.batchSize, settings.learningRate, settings.precision) = (2, 3, 1e-2, .fp32)
    return Trainer(
      learner: learner, methods: [try method(learner)], settings: settings, evaluation: EvaluationSettings())
  }

  @Test(arguments: ["t5-tied", "llama-tied"]) func theMethodsTrainAndAnswer(_ name: String) throws {
    let targets = Self.targets(name)
    let methods: [(Learner) throws -> any ContinualMethod] = [
      { NLoRA(configured { $0.targets = targets }, learner: $0) },
      { MoELoRA(configured { $0.targets = targets }, learner: $0) },
      { SAPTLoRA(configured { $0.targets = targets }, learner: $0) },
      { TreeLoRA(configured { $0.targets = targets }, learner: $0) },
    ]
    for method in methods {
      let trainer = try Self.trainer(name, method)
      try trainer.run()
      #expect(trainer.progress.experience == 2)
      let settings = EvaluationSettings(), texts = trainer.learner.data(of: trainer.learner.stream.experiences[0]).test
      let answers = try trainer.learner.predict(texts, methods: trainer.methods, settings: settings)
      #expect(answers.count == texts.count)
    }
  }

  @Test(arguments: ["t5-tied", "llama-tied"]) func theAttentionReadsTheTextAndNotTheAnswer(_ name: String) throws {
    let trainer = try Self.trainer(name) {
      SAPTLoRA(configured { $0.targets = Self.targets(name) }, learner: $0)
    }
    try trainer.run()
    let learner = trainer.learner, method = try #require(trainer.methods[0] as? SAPTLoRA)
    let batch = Batch(learner.data(of: learner.stream.experiences[0]).train)
    let attention = try #require(method.attention)
    let (training, asking) = withoutGradient {
      (
        attention.weights(learner.deviceBatch(batch), learner),
        attention.weights(learner.deviceBatch(batch, withAnswers: false), learner)
      )
    }
    #expect(difference(training, asking, atol: 1e-6) == nil)
  }
}
