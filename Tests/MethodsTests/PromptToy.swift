import Continual
import Models
import NN
import Streams
import TestSupport
import Torch

/// A tiny language model's tasks: random texts of 4 to 8 tokens, each with one of three answers.
enum PromptToy {
  static let answers: [[Int32]] = [[7, 1], [9, 11, 1], [30, 1]]

  static func model(_ name: String) throws -> any Generates {
    let url = Golden.url(name)
    if name.hasPrefix("t5") {
      let loaded = try ModelIndex.loadSequenceToSequence(url, dtype: .float32, device: .cpu, seed: 0)
      return Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
    }
    let loaded = try ModelIndex.loadCausal(url, dtype: .float32, device: .cpu, seed: 0)
    return CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
  }

  static func examples(_ experience: Int, count: Int = 8) -> [TokenizedExample] {
    var generator = Generator(seed: UInt64(experience) + 17)
    return (0..<count).map { index in
      let answer = Int(generator.next() % 3), length = 4 + Int(generator.next() % 5)
      return TokenizedExample(
        id: "\(experience).\(index)", tokens: (0..<length).map { _ in Int32(5 + generator.next() % 50) },
        firstLength: length, target: experience * 3 + answer, answer: answers[answer], experience: experience)
    }
  }
}

extension Toy {
  /// How likely each answer is to an experience's texts, as `method` predicts them.
  func scores(_ experience: Int, through method: some ContinualMethod) throws -> Tensor {
    guard let model = learner.model as? any Generates else { throw GoldenError.missing("a language model") }
    let examples = learner.data(of: learner.stream.experiences[experience]).train
    let batch = learner.deviceBatch(Batch(examples), withAnswers: false)
    return try method.predicting(experience, learner: learner) {
      inference { model.score(batch, answers: PromptToy.answers) }
    }
  }
}
