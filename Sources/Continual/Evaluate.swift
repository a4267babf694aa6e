public import Evaluation
import NN
public import Streams
import Torch

/// How evaluation batches are cut.
public struct EvaluationSettings: ConfigurationSection {
  /// Padded tokens in one batch.
  public var batchTokens = 2048
  /// Whether experiences not yet trained are evaluated too (needed for forward transfer).
  public var future = true
  /// Examples of each validation split that are scored after each experience; 0 for none.
  public var validation = 500

  public init() {}
  public static let keys = [
    ConfigurationKey("batchTokens", "padded tokens in one evaluation batch", allowed: .atLeast(1)),
    ConfigurationKey("future", "evaluate experiences that are not trained yet (forward transfer needs it)"),
    ConfigurationKey("validation", "validation examples scored per experience; 0 for none", allowed: .atLeast(0)),
  ]
}

extension Learner {
  /// Predicted global class of each example, in the order given.
  ///
  /// Examples run sorted by length, so that hardly any padding is computed, and without a graph.
  public func predict(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> [Int] {
    var predictions = [Int](repeating: -1, count: examples.count)
    try forward(examples, methods: methods, settings: settings) { batch, scores in
      for (index, prediction) in zip(batch, scores.predictions()) { predictions[index] = prediction }
    }
    return predictions
  }

  /// Most likely global class of each example, and its probability among the classes it could have.
  public func predictWithProbability(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> [(target: Int, probability: Double)] {
    var predictions = [(target: Int, probability: Double)](repeating: (-1, 0), count: examples.count)
    try forward(examples, methods: methods, settings: settings) { batch, scores in
      let best = scores.values.softmax(1).max(1).values()
      for (place, index) in batch.enumerated() { predictions[index].probability = Double(best[place]) }
      for (index, prediction) in zip(batch, scores.predictions()) { predictions[index].target = prediction }
    }
    return predictions
  }

  /// Runs the model over examples in batches; `body` gets their places in `examples` and the scores of their classes.
  private func forward(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings,
    _ body: ([Int], ClassScores) -> Void
  ) throws {
    let groups =
      knowsTaskAtTest
      ? Dictionary(grouping: examples.indices) { Int?(examples[$0].experience) } : [nil: Array(examples.indices)]
    for (experience, members) in groups.sorted(by: { ($0.key ?? -1) < ($1.key ?? -1) }) {
      try predicting(experience, methods: methods) {
        inference {
          for batch in Self.lengthSorted(members, examples, batchTokens: settings.batchTokens) {
            body(batch, scores(of: Batch(batch.map { examples[$0] })))
          }
        }
      }
    }
  }

  /// How well each class answers each row: a classifier's logits, or the likelihood of the class's name as the answer.
  private func scores(of batch: Batch) -> ClassScores {
    if let model = model as? any Generates {
      let classes = candidates(of: batch.examples[0].experience)
      return ClassScores(
        values: model.score(deviceBatch(batch, withAnswers: false), answers: classes.map(answer(of:))), columns: classes
      )
    }
    guard let classes = model(deviceBatch(batch), .evaluation).classes else {
      preconditionFailure("scores: \(type(of: model)) neither classifies nor generates")
    }
    return classes
  }

  /// Correct and wrong predictions by class.
  public func evaluate(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> ConfusionCounts {
    let predictions = try predict(examples, methods: methods, settings: settings)
    var counts = ConfusionCounts(classes: stream.classNames.count)
    for (example, prediction) in zip(examples, predictions) { counts.add(gold: example.target, predicted: prediction) }
    return counts
  }

  /// Runs `body` with the model as the methods want it for predictions, the first method outermost.
  public func predicting(_ experience: Int?, methods: [any ContinualMethod], _ body: () throws -> Void) throws {
    guard let first = methods.first else { return try body() }
    try first.predicting(experience, learner: self) {
      try predicting(experience, methods: Array(methods.dropFirst()), body)
    }
  }

  private static func lengthSorted(_ members: [Int], _ examples: [TokenizedExample], batchTokens: Int) -> [[Int]] {
    let sorted = members.sorted { (examples[$0].tokens.count, $0) < (examples[$1].tokens.count, $1) }
    var batches: [[Int]] = []
    var batch: [Int] = []
    for index in sorted {
      // The newest is the longest, so it decides the padded width.
      if !batch.isEmpty, (batch.count + 1) * examples[index].tokens.count > batchTokens {
        batches.append(batch)
        batch = []
      }
      batch.append(index)
    }
    return batch.isEmpty ? batches : batches + [batch]
  }
}
