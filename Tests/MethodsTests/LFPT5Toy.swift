import Evaluation
import Models
import NN
import Streams
import TestSupport
import Torch

@testable import Continual
@testable import Methods

/// Runs of `lfpt5` on the tiny T5, with texts of the golden or drawn ones.
struct LFPT5Toy {
  let trainer: Trainer, method: LFPT5
  let recorder = Recorder()
  var learner: Learner { trainer.learner }
  var prompt: Parameter {
    get throws {
      guard let prompt = learner.parameters["prompt.0.vectors"] else { throw GoldenError.missing("prompt") }
      return prompt
    }
  }

  /// - Parameter options: the answers of the two classes of each task; none where answers are free.
  init(
    _ data: [[TokenizedExample]], model: String = "t5-tied", options: [[Int32]] = [[7, 1], [9, 11, 1]],
    settings change: (inout TrainingSettings) -> Void = { _ in },
    _ configuration: (inout LFPT5.Configuration) -> Void
  ) throws {
    let labels = options.isEmpty ? [] : ["xy", "z"]
    let stream = TaskStream(
      name: "toy",
      experiences: data.indices.map { index in
        let set = Dataset(name: "\(index)", labels: labels, examples: [])
        return Experience(name: "t\(index)", train: set, test: set)
      })
    let learner = Learner(
      model: try PromptToy.model(model), stream: stream, device: .cpu, seed: 3,
      encode: { $0.utf8.map { Int32($0 % 40) + 12 } }
    ) { experience in
      TokenizedExperience(train: data[experience.index], validation: [], test: [], options: options)
    }
    var settings = TrainingSettings()
    (settings.epochs, settings.batchSize, settings.shuffle, settings.precision) = (2, 3, false, .fp32)
    (settings.optimizer, settings.learningRate, settings.clipNorm) = (.adafactor, 0.1, 0)
    change(&settings)
    method = LFPT5(configured(LFPT5.Configuration.self, configuration), learner: learner)
    var evaluation = EvaluationSettings()
    evaluation.answers = options.isEmpty ? .exactMatch : .scored
    trainer = Trainer(
      learner: learner, methods: [method], settings: settings, evaluation: evaluation, observer: recorder)
  }

  /// The texts of a golden, whose rows end at the first −1.
  static func examples(_ golden: [String: Tensor], _ name: String, experience: Int) throws -> [TokenizedExample] {
    func rows(_ key: String) throws -> [[Int32]] {
      guard let values = golden["\(name).\(key)"] else { throw GoldenError.missing(key) }
      return (0..<values.size(0)).map { row in
        values.at(0, row).scalars(Int64.self).prefix(while: { $0 >= 0 }).map(Int32.init)
      }
    }
    return zip(try rows("tokens"), try rows("answers")).enumerated().map { index, row in
      TokenizedExample(
        id: "\(name).\(index)", tokens: row.0, firstLength: row.0.count, target: 2 * experience + index % 2,
        answer: row.1, experience: experience)
    }
  }

  /// Texts of 4 to 8 tokens of two thirds of the vocabulary, with free answers.
  static func free(_ experience: Int) -> [TokenizedExample] {
    PromptToy.examples(experience, count: 6).map { example in
      TokenizedExample(
        id: example.id, tokens: example.tokens + [1], firstLength: example.tokens.count + 1, target: -1,
        answer: example.answer, experience: experience)
    }
  }
}
