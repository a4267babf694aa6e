import Continual
import Evaluation
import Foundation
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@Suite struct TrainerTests {
  // MARK: The same numbers

  /// 14 examples in windows of 6, the last of 2: k batches of b are one of k·b.
  @Test(arguments: [(2, 3), (3, 2), (6, 1)])
  func accumulationEqualsOneLargeBatch(batchSize: Int, accumulation: Int) throws {
    // Not AdamW: it moves a weight whose gradient is rounding noise (a key's bias) by the whole learning rate.
    let sgd = { (settings: inout TrainingSettings) in
      (settings.optimizer, settings.momentum, settings.learningRate) = (.sgd, 0.9, 1e-2)
    }
    let large = try Small(settings: {
      sgd(&$0); $0.batchSize = 6
    }) { _ in [] }
    let small = try Small(settings: {
      sgd(&$0)
      ($0.batchSize, $0.accumulation) = (batchSize, accumulation)
    }) { _ in [] }
    try large.trainer.run()
    try small.trainer.run()
    #expect(large.recorder.losses.count == 18)
    for (one, other) in zip(large.recorder.losses, small.recorder.losses) { #expect(abs(one - other) < 1e-5) }
    for (name, parameter) in large.learner.parameters.snapshot() {
      let other = try #require(small.learner.parameters[name])
      if let gap = difference(other.master, parameter, atol: 1e-6) { Issue.record("\(name) \(gap)") }
    }
  }

  @Test func evaluationDoesNotDependOnItsBatches() throws {
    let small = try Small { [MIGU(.init(), learner: $0)] }
    try small.trainer.run()
    let examples =
      small.learner.data(of: small.learner.stream.experiences[0]).test
      + small.learner.data(of: small.learner.stream.experiences[2]).test
    let all = try [1, 13, 50, 4096].map { (tokens: Int) in
      var settings = EvaluationSettings()
      settings.batchTokens = tokens
      return try small.learner.predict(examples, methods: small.trainer.methods, settings: settings)
    }
    #expect(all.allSatisfy { $0 == all[0] })
    #expect(!all[0].contains(-1))
  }

  @Test(arguments: [true, false]) func evaluationDoesNotChangeTraining(isMIGU: Bool) throws {
    let all = try [(true, 500), (false, 0)].map { future, validation in
      let small = try Small(dropout: 0.1, evaluation: { ($0.future, $0.validation) = (future, validation) }) {
        isMIGU
          ? [ER(.init(), learner: $0), MIGU(.init(), learner: $0)] as [any ContinualMethod]
          : [try EWC(.init(), learner: $0)]
      }
      try small.trainer.run()
      return small
    }
    #expect(all[0].recorder.losses == all[1].recorder.losses)
    #expect(all[0].weights == all[1].weights)
  }

  @Test func theSeedDecidesEveryBit() throws {
    let all = try [3, 3, 4].map { (seed: UInt64) in
      let small = try Small(seed: seed, dropout: 0.1) { _ in [] }
      try small.trainer.run()
      return small
    }
    #expect(all[0].recorder.losses == all[1].recorder.losses && all[0].weights == all[1].weights)
    #expect(all[0].recorder.losses != all[2].recorder.losses)
  }

  /// Order, dropout and initial values are functions of the seed; only sums inside an operation may be split.
  @Test func theNumberOfThreadsChangesNeitherOrderNorInitialValues() throws {
    let before = Runtime.threads
    defer { Runtime.threads = before }
    let all = try [1, 2].map { threads in
      Runtime.threads = threads
      let watcher = Order()
      let small = try Small(dropout: 0.1, settings: { $0.maxUpdates = 3 }) { _ in [watcher] }
      let start = small.weights
      try small.trainer.run()
      return (start: start, ids: watcher.ids, losses: small.recorder.losses)
    }
    #expect(all[0].start == all[1].start)
    #expect(all[0].ids == all[1].ids && all[0].ids.count == 9)
    for (one, other) in zip(all[0].losses, all[1].losses) { #expect(abs(one - other) < 1e-4) }
  }

  // MARK: Errors

  @Test(arguments: [Broken.Place.penalty, .gradient])
  func aBrokenNumberStopsBeforeTheWeights(place: Broken.Place) throws {
    let small = try Small { _ in [Broken(place, at: 3)] }
    var before: [String: [Float]] = [:]
    small.recorder.onUpdate = { trainer, _ in if trainer.progress.step == 3 { before = small.weights } }
    var isTold = false
    small.recorder.onStop = { trainer, _ in isTold = trainer.progress.step == 3 }
    let error = #expect(throws: TrainingError.self) { try small.trainer.run() }
    switch (place, error) {
    case (.penalty, .nonFiniteLoss(let value, "task 0", 3, let items)): #expect(value.isNaN && items.count == 2)
    case (.gradient, .nonFiniteGradient("task 0", 3, let items)): #expect(items.count == 2)
    default: Issue.record("\(String(describing: error))")
    }
    #expect(isTold)
    #expect(small.weights == before)
    #expect(small.learner.parameters.trainable.allSatisfy { $0.gradient == nil })
  }

  @Test func nothingToTrainIsAnError() throws {
    let small = try Small { _ in [Freeze()] }
    #expect(throws: TrainingError.nothingTrains(experience: "task 0")) { try small.trainer.run() }
  }

  @Test func theCPURecordsNoUpdates() throws {
    let small = try Small(settings: { $0.recordsUpdates = true }) { _ in [] }
    let error = #expect(throws: TrainingError.self) { try small.trainer.run() }
    #expect(error?.description.contains("as the device cpu records nothing; a GPU does") == true)
    #expect(small.trainer.progress.step == 0)
  }

  @Test func whatCannotBeRecordedIsAConflict() {
    var settings = TrainingSettings()
    settings.recordsUpdates = true
    #expect(settings.conflict == nil)
    for change in [{ $0.optimizer = .adafactor }, { $0.accumulation = 2 }] as [(inout TrainingSettings) -> Void] {
      var other = settings
      change(&other)
      #expect(other.conflict?.key == "recordsUpdates")
      #expect(other.conflict?.reason.contains("(accumulation: 1) and the optimizer adamw or adam") == true)
    }
  }

  private static let way =
    "Nothing before this update is lost. Go on with --resume --allow-changed-training and a lower rate "
    + "(--set training.learningRate=…) or --set training.precision=fp32; delete the newest folder of checkpoints first "
    + "if the weights are spoiled already."

  @Test(arguments: [
    (
      TrainingError.nothingTrains(experience: "a"),
      "no parameter trains in experience 'a': the methods freeze everything. Remove one of them, or add an adapter."
    ),
    (
      .emptyBatch(experience: "a", step: 2),
      "update 2 of experience 'a' has an empty batch: a method removed every example."
    ),
    (
      .nonFiniteLoss(value: -.nan, experience: "a", step: 2, items: ["x", "y"]),
      "the loss is nan at update 2 of experience 'a' (items x, y). \(way)"
    ),
    (
      .nonFiniteGradient(experience: "a", step: 2, items: ["x", "y"]),
      "the gradient is not finite at update 2 of experience 'a' (items x, y). \(way)"
    ),
    (
      .brokenUpdates(experience: "a", from: 0, through: 9),
      "the gradient stopped being finite between the updates 0 and 9 of experience 'a', and the weights with it; nothing of "
        + "it was saved. Go on from the last checkpoint with --resume --allow-changed-training and a lower rate "
        + "(--set training.learningRate=…) or --set training.precision=fp32."
    ),
    (
      .needsClasses("fisher: sampled", instead: "fisher: perSample"),
      "'fisher: sampled' needs a model that answers with a class, and this one answers in text. Set fisher: perSample."
    ),
    (
      .cannotRecord("several processes train"),
      "training.recordsUpdates: no update can stand for another here, as several processes train. Leave the key out."
    ),
    (.interrupted(resume: "jay run"), "interrupted; everything so far is saved. Go on with: jay run"),
  ])
  func errorsSayWhatToDo(error: TrainingError, sentence: String) { #expect("\(error)" == sentence) }
}

/// Writes down which examples trained.
private final class Order: ContinualMethod {
  static let card = MethodCard(name: "order", summary: "", family: .reference, paper: Citation("none"))
  var state = MethodState()
  var ids: [[String]] = []
  init() {}
  init(_ configuration: NoConfiguration, learner: Learner) {}
  func compose(_ batch: Batch, at step: Step) -> Batch {
    ids.append(batch.examples.map(\.id))
    return batch
  }
}

/// Trains nothing.
private final class Freeze: ContinualMethod {
  static let card = MethodCard(name: "freeze", summary: "", family: .reference, paper: Citation("none"))
  var state = MethodState()
  init() {}
  init(_ configuration: NoConfiguration, learner: Learner) {}
  func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan
    plan.isTrained = { _ in false }
    return plan
  }
}

/// Makes one update's loss or gradient not a number.
final class Broken: ContinualMethod {
  enum Place: Sendable { case none, penalty, gradient }
  static let card = MethodCard(name: "broken", summary: "", family: .reference, paper: Citation("none"))
  var state = MethodState()
  private let place: Place, step: Int
  init(_ place: Place, at step: Int) { (self.place, self.step) = (place, step) }
  init(_ configuration: NoConfiguration, learner: Learner) { (place, step) = (.none, 0) }
  func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) -> Tensor? {
    place == .penalty && step.index == self.step ? Tensor([Float.nan]).sum() : nil
  }
  func willUpdate(_ parameters: [Parameter], at step: Step) {
    guard place == .gradient, step.index == self.step else { return }
    parameters[0].gradient = parameters[0].gradient.map { $0 * Double.infinity }
  }
}
