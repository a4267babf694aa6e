import Evaluation
import NN
public import Streams
import Torch

extension Learner {
  /// Predicted global class of each example, in the order given.
  ///
  /// Examples run sorted by length, so that hardly any padding is computed, and without a graph.
  public func predict(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> [Int] {
    try predict(examples, methods: methods, settings: settings, isShared: false).map { $0 ?? -1 }
  }

  /// With `isShared`, nil for what another process predicts.
  private func predict(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings, isShared: Bool
  ) throws -> [Int?] {
    var predictions = [Int?](repeating: nil, count: examples.count)
    try forward(examples, methods: methods, settings: settings, isShared: isShared) { batch, scores in
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
    isShared: Bool = false, _ body: ([Int], ClassScores) -> Void
  ) throws {
    try batches(examples, methods: methods, settings: settings, isShared: isShared) { places in
      body(places, scores(of: Batch(places.map { examples[$0] }), methods: methods))
    }
  }

  /// Cuts examples into batches and calls `body` with their places, as predictions are made: without a graph, the
  /// methods around it. With `isShared`, processes that train together take turns: each sees some of the batches.
  func batches(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings,
    isShared: Bool = false, _ body: ([Int]) -> Void
  ) throws {
    var turn = 0
    let sharers = isShared ? processes?.count ?? 1 : 1, rank = isShared ? processes?.rank ?? 0 : 0
    let groups =
      knowsTaskAtTest
      ? Dictionary(grouping: examples.indices) { Int?(examples[$0].experience) } : [nil: Array(examples.indices)]
    for (experience, members) in groups.sorted(by: { ($0.key ?? -1) < ($1.key ?? -1) }) {
      try predicting(experience, methods: methods) {
        try checkRoom(for: members.map { examples[$0] })
        inference {
          for places in Self.lengthSorted(members, examples, batchTokens: settings.batchTokens) {
            if turn % sharers == rank { body(places) }
            turn += 1
          }
        }
      }
    }
  }

  /// The classes among which a language model chooses for an experience, and for every candidate the one of them that has
  /// its name: to who reads it, the same word is the same answer, whichever tasks have a class of that name.
  private func answers(of experience: Int) -> (classes: [Int], class: [Int: Int]) {
    var first: [[Int32]: Int] = [:], classes: [Int] = [], named: [Int: Int] = [:]
    for candidate in candidates(of: experience) {
      let answer = answer(of: candidate)
      if first[answer] == nil { classes.append(candidate) }
      first[answer] = first[answer] ?? candidate
      named[candidate] = first[answer]
    }
    return (classes, named)
  }

  /// How well each class answers each row: a classifier's logits, or the likelihood of the class's name as the answer.
  private func scores(of batch: Batch, methods: [any ContinualMethod]) -> ClassScores {
    if let model = model as? any Generates {
      let classes = answers(of: batch.examples[0].experience).classes
      let inputs = announced(batch, withAnswers: false, to: methods)
      return ClassScores(values: model.score(inputs, answers: classes.map(answer(of:))), columns: classes)
    }
    guard let classes = model(announced(batch, to: methods), .evaluation).classes else {
      preconditionFailure("scores: \(type(of: model)) neither classifies nor generates")
    }
    return classes
  }

  /// How well a model does on examples.
  public struct Measured: Sendable {
    /// In percent: of the classes that are right, of the answers' mean score, or of the tokens predicted.
    public var accuracy: Double?
    /// Over classes, in percent; nil where there are none.
    public var macroF1: Double?
    /// Mean cross-entropy of the predicted tokens in nats; nil where none are.
    public var loss: Double?
  }

  /// Measures classes, written answers or, where the model is pretrained, predicted tokens. Processes that train together
  /// share the work; all get the whole result.
  public func evaluate(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> Measured {
    guard let first = examples.first else { return Measured() }
    let measure = stream.experiences[first.experience].measure(by: settings.answers)
    if objective != nil || (measure == .loss && model is any PredictsTokens) {
      return try answerLoss(examples, methods: methods, settings: settings)
    }
    if let score = measure.score, model is any Generates {
      let answers = try write(examples, methods: methods, settings: settings, isShared: true)
      let scores = zip(answers, examples).map { answer, example in
        answer.map { score($0, accepted: example.accepted) } ?? 0
      }
      return Measured(accuracy: try summed(scores).mean)
    }
    let predictions = try predict(examples, methods: methods, settings: settings, isShared: true)
    // One more than the class, so that what another process predicts adds nothing.
    let whole = try summed(predictions.map { $0.map { Double($0 + 1) } ?? 0 }).map { Int($0) - 1 }
    let named = model is any Generates ? answers(of: first.experience).class : [:]
    var counts = ConfusionCounts(classes: stream.classNames.count)
    for (example, prediction) in zip(examples, whole) {
      counts.add(gold: named[example.target] ?? example.target, predicted: prediction)
    }
    return Measured(accuracy: counts.accuracy, macroF1: counts.macroF1)
  }

  /// How well tokens are predicted: those of the answers, or what an objective hides, which is the same each time.
  func answerLoss(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> Measured {
    guard let model = model as? any PredictsTokens else {
      preconditionFailure("evaluate: \(type(of: model)) does not predict tokens")
    }
    var sum = TokenScores()
    try batches(examples, methods: methods, settings: settings, isShared: true) { places in
      let batch = Batch(places.map { examples[$0] })
      // With answers of their own they ask something, whatever the model is pretrained to do.
      let asks = batch.examples.contains { !$0.answer.isEmpty }
      sum += model.tokenScores(announced(asks ? batch : posed(batch), to: methods))
    }
    let sums = try summed([Double(sum.count), Double(sum.correct), sum.loss])
    guard sums[0] > 0 else { return Measured() }
    return Measured(
      accuracy: 100 * sums[1] / sums[0], loss: sums[2].isFinite ? sums[2] / sums[0] : nil)
  }

  /// What a language model answers to each example, in the order given.
  public func write(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings
  ) throws -> [String] {
    try write(examples, methods: methods, settings: settings, isShared: false).map { $0 ?? "" }
  }

  /// With `isShared`, nil for what another process writes. `observe` gets the row in its batch and the tokens as they come.
  func write(
    _ examples: [TokenizedExample], methods: [any ContinualMethod], settings: EvaluationSettings, isShared: Bool,
    observe: ((Int, Int32) -> Void)? = nil
  ) throws -> [String?] {
    guard let model = model as? any Generates else {
      preconditionFailure("write: \(type(of: model)) does not generate")
    }
    var written = [String?](repeating: nil, count: examples.count)
    try batches(examples, methods: methods, settings: settings, isShared: isShared) { places in
      let batch = announced(Batch(places.map { examples[$0] }), withAnswers: false, to: methods)
      let generation = settings.generation(of: places.map { examples[$0] }, draw: generator.derived("written"))
      let answers = model.generate(batch, generation, decode: text(of:), observe: observe)
      for (place, answer) in zip(places, answers) { written[place] = answer.text ?? text(of: answer.tokens) }
    }
    return written
  }

  /// The batch on the device, shown to the methods before the forward pass that reads it.
  func announced(
    _ batch: Batch, withAnswers: Bool = true, roundsLength: Bool = false, to methods: [any ContinualMethod]
  ) -> DeviceBatch {
    var inputs = deviceBatch(batch, withAnswers: withAnswers, roundsLength: roundsLength)
    for method in methods { method.willForward(&inputs, learner: self) }
    return inputs
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
