import Continual
import Evaluation
import Foundation
import Models
import NN
import Streams
import TestSupport
import Torch

/// Small runs on the tiny BERT: three tasks of three classes, with test and validation data, shuffled.
struct Small {
  let trainer: Trainer
  let recorder = Recorder()

  init(
    seed: UInt64 = 0, count: Int = 14, dropout: Double = 0, knowsTask: Bool = true,
    settings change: (inout TrainingSettings) -> Void = { _ in },
    evaluation changeEvaluation: (inout EvaluationSettings) -> Void = { _ in },
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws {
    let data = { (name: String) in Dataset(name: name, labels: ["0", "1", "2"], examples: []) }
    let stream = TaskStream(
      name: "small", declaration: StreamDeclaration(hasTaskLabelAtTest: knowsTask),
      experiences: (0..<3).map { Experience(name: "task \($0)", train: data("\($0)"), test: data("\($0)")) })
    let model = try ModelIndex.encoder(
      Golden.url("bert-tiny"), pooling: .mean, dropout: dropout, dtype: .float32, device: .cpu, seed: seed)
    let learner = Learner(model: model, stream: stream, device: .cpu, seed: seed) { experience in
      let index = UInt64(experience.index)
      return TokenizedExperience(
        train: Self.examples(experience.index, count, seed: index),
        validation: Self.examples(experience.index, 8, seed: 10 + index),
        test: Self.examples(experience.index, 20, seed: 20 + index))
    }
    var settings = TrainingSettings()
    (settings.epochs, settings.batchSize, settings.learningRate, settings.precision) = (2, 4, 1e-3, .fp32)
    change(&settings)
    var evaluation = EvaluationSettings()
    changeEvaluation(&evaluation)
    trainer = Trainer(
      learner: learner, methods: try methods(learner), settings: settings, evaluation: evaluation, observer: recorder)
  }

  var learner: Learner { trainer.learner }

  /// Random tokens, of 3 to 12 a text.
  static func examples(_ experience: Int, _ count: Int, seed: UInt64) -> [TokenizedExample] {
    var generator = Generator(seed: seed)
    return (0..<count).map { index in
      let length = 3 + Int(generator.next() % 10)
      return TokenizedExample(
        id: "\(experience).\(index)", tokens: (0..<length).map { _ in Int32(5 + generator.next() % 90) },
        firstLength: length, target: experience * 3 + Int(generator.next() % 3), experience: experience)
    }
  }

  /// Every weight's bits.
  var weights: [String: [Float]] { trainer.learner.parameters.snapshot().mapValues { $0.values() } }
}

/// A folder that disappears with its owner.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}
