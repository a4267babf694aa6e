import Evaluation
import Foundation
import NN
import Streams
import Torch

/// The one training loop: stream → experience → batch → compose → model → loss + penalties → willBackpropagate →
/// backward → willUpdate → clip → optimizer → didUpdate; after each experience didEnd and one row of the matrix.
public final class Trainer {
  public let learner: Learner
  public let methods: [any ContinualMethod]
  public let settings: TrainingSettings
  public let evaluation: EvaluationSettings
  public internal(set) var progress: TrainingProgress
  /// What is measured beside the experiences.
  public private(set) var abilities: [Ability] = []
  private let observer: any TrainingObserver
  /// The norms of gradients that are still on an accelerator, added up, and the first and the last of their updates.
  private var unread: (norms: Tensor, first: Step, last: Step)?
  /// Of the experience that trains, where several processes do.
  private var exchange: GradientExchange?
  /// Of the experience that trains, where the device records its updates.
  private(set) var recorded: RecordedUpdates?
  /// How many forms of batches it records.
  var mostRecorded = 256

  public init(
    learner: Learner, methods: [any ContinualMethod], settings: TrainingSettings, evaluation: EvaluationSettings,
    observer: any TrainingObserver = SilentObserver()
  ) {
    (self.learner, self.methods, self.settings) = (learner, methods, settings)
    (self.evaluation, self.observer) = (evaluation, observer)
    progress = TrainingProgress(
      experiences: learner.stream.experiences.map(\.name),
      predictsTokens: learner.stream.experiences.map {
        learner.objective != nil || ($0.measure(by: evaluation.answers) == .loss && learner.model is any PredictsTokens)
      })
    learner.evaluation = evaluation
    learner.announce = { [weak self] batch in
      guard let self else { return }
      for method in self.methods { method.willForward(&batch, learner: self.learner) }
    }
    learner.pause = { [weak self] in try self?.observer.willGoOn() }
  }

  /// Has abilities measured before the first experience and after each.
  /// - Precondition: nothing was trained or restored yet.
  public func measure(_ abilities: [Ability]) {
    precondition(progress.experience == 0 && progress.step == 0, "Trainer.measure: the run has begun")
    self.abilities = abilities
    progress.abilities = abilities.isEmpty ? nil : AbilityScores(abilities.map(\.description))
  }

  /// Trains what is left of the stream.
  public func run() throws {
    try checkRecording()
    if progress.matrix.before == nil, progress.experience == 0, progress.step == 0 { try evaluateBefore() }
    while progress.experience < learner.stream.count {
      try train(learner.stream.experiences[progress.experience])
    }
  }

  /// Goes back to where a checkpoint was written. Experiences that the stream gained since get empty columns.
  func restore(_ record: Checkpoint.Record, optimizer moments: [String: Tensor]) {
    (progress.experience, progress.step) = (record.experience, record.step)
    (progress.matrix, progress.macroF1, progress.validation) = (record.accuracy, record.macroF1, record.validation)
    (progress.loss, progress.abilities) = (record.loss, record.abilities)
    progress.trainableParameters = record.trainableParameters ?? 0
    for name in learner.stream.experiences.dropFirst(record.accuracy.experiences.count).map(\.name) {
      progress.matrix.append(experience: name)
      progress.macroF1.append(experience: name)
      progress.validation.append(experience: name)
      progress.loss?.append(experience: name)
    }
    (progress.optimizerState, progress.optimizerStep) = (moments, record.optimizerStep)
  }

  private func train(_ experience: Experience) throws {
    let isResumed = progress.step > 0
    if !isResumed { try prepare(experience) }
    var plan = TrainingPlan(examples: learner.data(of: experience).train, epochs: settings.epochs)
    for method in methods { plan = try method.plan(plan, for: experience, learner: learner) }
    if plan.startsFromPretrained, !isResumed { learner.restorePretrained() }
    learner.apply(plan)
    if !isResumed { for method in methods { try method.willBegin(experience, learner: learner) } }

    var sampler = Sampler(plan, settings: settings, generator: learner.generator.derived("order.\(experience.index)"))
    let trainable = learner.parameters.trainable
    progress.trainableParameters = trainable.reduce(0) { $0 + $1.count }
    exchange = learner.processes.map { GradientExchange($0, trainable, linears: learner.parameters.linears) }
    recorded = settings.recordsUpdates ? try makeRecorded() : nil
    if sampler.updates > 0, trainable.isEmpty { throw TrainingError.nothingTrains(experience: experience.name) }
    let optimizer = settings.makeOptimizer()
    if isResumed { optimizer.restore(progress.optimizerState, step: progress.optimizerStep, parameters: trainable) }
    progress.optimizerState = [:]
    observer.willTrain(experience, updates: sampler.updates, from: progress.step)

    while progress.step < sampler.updates {
      let step = Step(index: progress.step, total: sampler.updates, experience: experience, learner: learner)
      let epoch = Double(step.index) / Double(sampler.updatesPerEpoch)
      let mode = Mode.training(step.ownGenerator("dropout"), keepsPadding: plan.keepsPadding)
      try update(sampler.batch(step.index), step, epoch: epoch, mode, trainable, optimizer)
      progress.step += 1
      try observer.didUpdate(self, optimizer)
    }
    try settle()
    for method in methods { try method.didEnd(experience, learner: learner) }
    try finish(experience, isEvaluated: plan.isEvaluated)
  }

  /// - Throws: `TrainingError.cannotRecord` where updates are to be recorded and cannot be; `run` asks, too.
  public func checkRecording() throws {
    if settings.recordsUpdates { _ = try makeRecorded() }
  }

  private func makeRecorded() throws -> RecordedUpdates {
    try RecordedUpdates(for: learner, methods, settings, most: mostRecorded)
  }

  private func prepare(_ experience: Experience) throws {
    learner.begin(experience)
    for method in methods { try method.prepare(experience, learner: learner) }
  }

  private func update(
    _ sampled: Batch, _ step: Step, epoch: Double, _ mode: Mode, _ trainable: [Parameter], _ optimizer: any Optimizer
  ) throws {
    var batch = sampled
    for method in methods { batch = try method.compose(batch, at: step) }
    batch = learner.posed(batch, draw: step.generator("objective"))
    let rate = settings.rate(at: step.index, of: step.total)
    let (loss, norm): RecordedUpdates.Outcome
    if let recorded {
      let inputs = learner.announced(batch, roundsLength: true, to: methods)
      let draws = step.ownGenerator("draws")
      (loss, norm) = try recorded(inputs, rate: rate, drawing: draws, optimizer) { inputs, rate in
        try move(trainable, by: batch, inputs, rate, step, mode, optimizer)
      }
    } else {
      (loss, norm) = try move(trainable, by: batch, nil, Rate(rate), step, mode, optimizer)
    }
    if learner.device.runsBehind {
      unread = (unread.map { $0.norms + norm } ?? norm, unread?.first ?? step, step)
    }
    observer.didCompute(
      StepReport(
        step: step, loss: loss, gradientNorm: norm, learningRate: rate, tokens: batch.tokenCount,
        epoch: epoch))
    if (step.index + 1) % settings.logEvery == 0 { try settle() }
  }

  /// Moves the weights by a batch; `inputs` is the batch on the device, where it is there already. A recording of it stands
  /// for others: it keeps nothing of the batch.
  private func move(
    _ trainable: [Parameter], by batch: Batch, _ inputs: DeviceBatch?, _ rate: Rate, _ step: Step, _ mode: Mode,
    _ optimizer: any Optimizer
  ) throws -> RecordedUpdates.Outcome {
    let total: Tensor
    do {
      total = try gradients(batch, inputs, step, mode)
    } catch let error where error is ProcessesError || error is TrainingError { throw try stop(error, optimizer) }
    try check(total, batch, step, optimizer)
    for method in methods { try method.willUpdate(trainable, at: step) }
    let norm = optimizer.update(trainable, rate: rate, clipNorm: settings.clipNorm)
    guard learner.device.runsBehind || norm.item().isFinite else {
      throw try stop(
        TrainingError.nonFiniteGradient(
          experience: step.experience.name, step: step.index, items: batch.examples.map(\.id)),
        optimizer)
    }
    learner.parameters.clearGradients()
    for method in methods { try method.didUpdate(trainable, at: step) }
    return (total, norm)
  }

  /// Waits for the device and makes sure that what it computed so far is not broken: on an accelerator a gradient that is
  /// not finite breaks the weights.
  /// - Throws: `TrainingError.brokenUpdates`; then the weights must not be saved.
  public func settle() throws {
    guard let (norms, first, last) = unread else { return }
    unread = nil
    guard norms.item().isFinite else {
      throw TrainingError.brokenUpdates(
        experience: last.experience.name, from: first.index, through: last.index)
    }
  }

  /// Computes the gradients of a batch, and its loss.
  private func gradients(_ batch: Batch, _ inputs: DeviceBatch?, _ step: Step, _ mode: Mode) throws -> Tensor {
    var total: Tensor?
    // Each micro-batch weighs by the terms of its mean, so that their sum is the loss of the whole batch.
    let micros = batch.split(into: settings.accumulation)
    for (index, micro) in micros.enumerated() {
      let loss = try loss(learner.share(of: micro), inputs, of: batch, step, mode)
      for method in methods { try method.willBackpropagate(isWhole: micro.rows == batch.rows, at: step) }
      if index == micros.count - 1 { exchange?.begin() }
      guard let loss else { continue }
      loss.backward()
      total = total.map { $0 + loss.detached() } ?? loss.detached()
    }
    try exchange?.end()
    if learner.processes != nil { total = try learner.summed(total ?? .zeros([], device: learner.device)) }
    guard let total, !micros.isEmpty else {
      throw TrainingError.emptyBatch(experience: step.experience.name, step: step.index)
    }
    return total
  }

  /// The loss of some rows as a part of the whole batch's; nil where they have no term of its mean.
  private func loss(
    _ micro: Batch, _ inputs: DeviceBatch?, of batch: Batch, _ step: Step, _ mode: Mode
  ) throws -> Tensor? {
    let asksAll = learner.model.answerLayout == .none
    func asks(_ rows: Batch) -> Bool { rows.examples.contains { asksAll || !$0.answer.isEmpty } }
    guard asks(batch) else {
      throw TrainingError.nothingAsked(
        experience: step.experience.name, step: step.index, items: batch.examples.map(\.id))
    }
    guard asks(micro) else { return nil }
    let inputs = inputs ?? learner.announced(micro, to: methods)
    let output = learner.model(inputs, mode)
    var loss = output.loss
    for method in methods {
      if let penalty = try method.penalty(output, inputs, at: step) { loss = loss + penalty }
    }
    return micro.rows < batch.rows ? loss * (Double(micro.lossTerms) / Double(batch.lossTerms)) : loss
  }

  /// Stops before a broken loss reaches the weights.
  private func check(_ loss: Tensor, _ batch: Batch, _ step: Step, _ optimizer: any Optimizer) throws {
    // An accelerator is not waited for: what breaks the loss breaks the gradient too (`settle`).
    guard !learner.device.runsBehind else { return }
    let value = loss.item()
    guard !value.isFinite else { return }
    throw try stop(
      TrainingError.nonFiniteLoss(
        value: value, experience: step.experience.name, step: step.index, items: batch.examples.map(\.id)),
      optimizer)
  }

  /// Lets the state before the failed update be saved.
  private func stop(_ error: any Error, _ optimizer: any Optimizer) throws -> any Error {
    learner.parameters.clearGradients()
    try observer.willStop(self, optimizer)
    return error
  }

  private func evaluateBefore() throws {
    let scores = try scores(after: -1)
    progress.matrix = AccuracyMatrix(
      experiences: progress.matrix.experiences, quantity: progress.matrix.quantity, before: scores.map(\.accuracy))
    progress.loss = progress.loss.map {
      AccuracyMatrix(experiences: $0.experiences, quantity: $0.quantity, before: scores.map(\.loss))
    }
    progress.abilities?.begin(with: try abilityScores())
  }

  private func finish(_ experience: Experience, isEvaluated: Bool) throws {
    observer.willEvaluate(experience)
    let scores = isEvaluated ? try scores(after: experience.index) : learner.stream.experiences.map { _ in Score() }
    progress.matrix.append(row: scores.map(\.accuracy))
    progress.macroF1.append(row: scores.map(\.macroF1))
    progress.validation.append(row: scores.map(\.validation))
    progress.loss?.append(row: scores.map(\.loss))
    progress.abilities?.append(row: isEvaluated ? try abilityScores() : [])
    progress.experience += 1
    progress.step = 0
    observer.didEvaluate(experience, progress)
    try observer.didEnd(self)
  }

  private func abilityScores() throws -> [AbilityScores.Score] {
    try abilities.map { try learner.score($0, methods: methods, settings: evaluation) }
  }

  private struct Score { var accuracy: Double?, macroF1: Double?, validation: Double?, loss: Double? }

  /// One row: every experience, or only those trained so far.
  private func scores(after index: Int) throws -> [Score] {
    try learner.stream.experiences.map { experience in
      var score = Score()
      // Without task labels the classes of a later experience cannot be answered at all.
      let isKnown =
        experience.index <= index || (learner.knowsTaskAtTest || learner.stream.declaration.labelRelation == .same)
      guard experience.index <= index || (evaluation.future && isKnown) else { return score }
      let data = learner.data(of: experience)
      let measured = try learner.evaluate(data.test, methods: methods, settings: evaluation)
      (score.accuracy, score.macroF1, score.loss) = (measured.accuracy, measured.macroF1, measured.loss)
      if experience.index <= index, evaluation.validation > 0, !data.validation.isEmpty {
        let sample = Array(data.validation.prefix(evaluation.validation))
        score.validation = try learner.evaluate(sample, methods: methods, settings: evaluation).accuracy
      }
      return score
    }
  }
}

extension Batch {
  /// At most `parts` pieces of nearly equal size.
  func split(into parts: Int) -> [Batch] {
    guard parts > 1 else { return rows == 0 ? [] : [self] }
    let size = (rows + parts - 1) / parts
    return stride(from: 0, to: rows, by: max(1, size)).map { Batch(Array(examples[$0..<min($0 + size, rows)])) }
  }
}
