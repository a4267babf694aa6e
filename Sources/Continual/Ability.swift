public import Evaluation
import NN
public import Streams

/// Something that a language model can do which is measured and never trained.
public struct Ability: Sendable {
  public let name: String
  public let measure: AnswerMeasure
  /// Their targets are places among `options`.
  public let examples: [TokenizedExample]
  /// The answers to choose among, where they are scored.
  public let options: [[Int32]]

  public init(name: String, measure: AnswerMeasure, examples: [TokenizedExample], options: [[Int32]]) {
    (self.name, self.measure, self.examples, self.options) = (name, measure, examples, options)
  }

  var description: AbilityScores.Ability {
    AbilityScores.Ability(name: name, measure: measure.rawValue, examples: examples.count)
  }
}

extension Learner {
  /// Measures an ability as the model is now; methods that are told the task are told the one learned last.
  public func score(
    _ ability: Ability, methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> AbilityScores.Score {
    let examples = ability.examples.map { example in
      var example = example
      example.experience = max(0, current)
      return example
    }
    switch ability.measure {
    case .scored:
      let choices = try choose(examples, among: ability.options, methods: methods, settings: settings)
      let right = zip(choices, examples).count { $0 == $1.target }
      return AbilityScores.Score(percent: 100 * Double(right) / Double(examples.count))
    case .loss:
      return AbilityScores.Score(loss: try answerLoss(examples, methods: methods, settings: settings).loss)
    case .exactMatch, .rougeL, .finalNumber:
      let score = ability.measure.score
      let answers = try write(examples, methods: methods, settings: settings)
      return AbilityScores.Score(percent: zip(answers, examples).compactMap { score?($0, accepted: $1.accepted) }.mean)
    }
  }

  /// The likeliest of some answers for each example, as its place among them; the likelihood is that of a token.
  private func choose(
    _ examples: [TokenizedExample], among options: [[Int32]], methods: [any ContinualMethod],
    settings: EvaluationSettings
  ) throws -> [Int] {
    guard let model = model as? any Generates else {
      preconditionFailure("score: \(type(of: model)) does not answer in text")
    }
    var choices = [Int](repeating: -1, count: examples.count)
    try batches(examples, methods: methods, settings: settings) { places in
      let batch = announced(Batch(places.map { examples[$0] }), withAnswers: false, to: methods)
      let scores = ClassScores(values: model.score(batch, answers: options), columns: Array(options.indices))
      for (place, choice) in zip(places, scores.predictions()) { choices[place] = choice }
    }
    return choices
  }
}

extension AnswerMeasure {
  /// How written answers are compared; nil where none are written.
  var score: AnswerScore? {
    switch self {
    case .scored, .loss: nil
    case .exactMatch: .exactMatch
    case .rougeL: .rougeL
    case .finalNumber: .finalNumber
    }
  }
}
