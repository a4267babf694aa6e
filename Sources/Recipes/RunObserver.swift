import Continual
import Evaluation
import Foundation
import NN
import Streams
import Torch

/// Writes a run down while it happens: log lines, checkpoints, progress; turns an interrupt into a saved stop.
final class RunObserver: TrainingObserver {
  private let directory: RunDirectory
  private let settings: TrainingSettings
  private let progressLine: ProgressLine
  private let resumeCommand: String
  var fingerprints: [String: String] = [:]
  /// Where the run trains.
  var device = Device.cpu
  var isInterrupted: () -> Bool = { Interrupt.isRequested }
  /// Writes the model after an experience down, where the recipe keeps it.
  var keep: (Experience) throws -> Void = { _ in }
  private(set) var timings: [ExperienceTiming] = []
  private(set) var peakBytes = 0
  private var log: FileHandle?
  private var position = Checkpoint.LogPosition()
  private var earlierSeconds = 0.0
  private let began = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now
  /// Tokens since `start`; `position.tokens` also holds those of an earlier session.
  private var window = (tokens: 0, start: ContinuousClock.now)
  private var trainedAt = ContinuousClock.now
  private var trainSeconds = 0.0

  init(_ directory: RunDirectory, settings: TrainingSettings, progress: ProgressLine, resumeCommand: String) {
    (self.directory, self.settings, progressLine) = (directory, settings, progress)
    self.resumeCommand = resumeCommand
  }

  var wallSeconds: Double { earlierSeconds + began.duration(to: .now).seconds }

  /// Opens the log; after a resume, cut to where the checkpoint was written.
  func open(resuming record: Checkpoint.Record?) throws {
    let path = directory.log.path
    if !FileManager.default.fileExists(atPath: path) { try AtomicFile.write("", to: directory.log) }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw FileError(action: .write, path: path, code: errno)
    }
    position = record?.log ?? .init()
    earlierSeconds = record?.wallSeconds ?? 0
    // A log that someone cut shorter must not be filled up with zeros.
    position.bytes = min(position.bytes, Int(try handle.seekToEnd()))
    try handle.truncate(atOffset: UInt64(position.bytes))
    log = handle
    let kept = (try? String(contentsOf: directory.log, encoding: .utf8)) ?? ""
    for line in kept.split(separator: "\n") {
      if let timing = try? JSONDecoder().decode(ExperienceTiming.self, from: Data(line.utf8)) { timings.append(timing) }
    }
  }

  func willTrain(_ experience: Experience, updates: Int, from step: Int) {
    window = (0, .now)
    if step == 0 { position.tokens = 0 }
    trainedAt = .now
    progressLine.begin("\(experience.name)", updates: updates, from: step)
  }

  func didCompute(_ report: StepReport) {
    position.step += 1
    position.tokens += report.tokens
    window.tokens += report.tokens
    guard (report.step.index + 1) % settings.logEvery == 0 || report.step.index + 1 == report.step.total else { return }
    let seconds = window.start.duration(to: .now).seconds
    let held = Memory.held(on: device)
    peakBytes = max(peakBytes, held)
    let record = StepRecord(
      step: position.step, experience: report.step.experience.index, epoch: report.epoch, loss: report.loss.item(),
      learningRate: report.learningRate, gradientNorm: report.gradientNorm.item(), tokens: position.tokens,
      tokensPerSecond: seconds > 0 ? Double(window.tokens) / seconds : nil, residentBytes: held,
      wallSeconds: wallSeconds)
    append(record)
    progressLine.update(report.step.index + 1, loss: record.loss, tokensPerSecond: record.tokensPerSecond ?? 0)
    window = (0, .now)
    position.tokens = 0
  }

  func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws {
    // The first update warms up caches and threads; it would spoil the rate.
    if trainer.progress.step == 1 { window = (0, .now) }
    let isDue =
      settings.checkpointSteps > 0
      ? trainer.progress.step % settings.checkpointSteps == 0
      : lastCheckpoint.duration(to: .now).seconds >= settings.checkpointSeconds
    let isInterrupted = isInterrupted()
    if isDue || isInterrupted { try save(trainer, optimizer) }
    if isInterrupted { throw TrainingError.interrupted(resume: resumeCommand) }
  }

  func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {
    progressLine.end(row: progress.matrix)
    let total = trainedAt.duration(to: .now).seconds
    let timing = ExperienceTiming(
      experience: experience.index, trainSeconds: trainSeconds, evaluationSeconds: total - trainSeconds)
    timings.append(timing)
    append(timing)
  }

  func willEvaluate(_ experience: Experience) { trainSeconds = trainedAt.duration(to: .now).seconds }

  func didEnd(_ trainer: Trainer) throws {
    // Before the checkpoint: a run that is killed between the two comes here again.
    try keep(trainer.learner.stream.experiences[trainer.progress.experience - 1])
    try save(trainer, nil)
    Runtime.releaseFreedMemory()
    if isInterrupted(), trainer.progress.experience < trainer.learner.stream.count {
      throw TrainingError.interrupted(resume: resumeCommand)
    }
  }

  func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws {
    // Before its first update an experience has begun already, and resuming would begin it again: the checkpoint at the
    // end of the one before it, or the beginning of the run, is where this goes on.
    if trainer.progress.step > 0 { try save(trainer, optimizer) }
  }

  func willGoOn() throws {
    if isInterrupted() { throw TrainingError.interruptedUnsaved(resume: resumeCommand) }
  }

  private func save(_ trainer: Trainer, _ optimizer: (any Optimizer)?) throws {
    try trainer.settle()
    try log?.synchronize()
    try Checkpoint.write(
      trainer, optimizer: optimizer, to: directory.checkpoints, log: position, wallSeconds: wallSeconds,
      fingerprints: fingerprints)
    lastCheckpoint = .now
  }

  private func append(_ record: some Encodable) {
    // A log line that cannot be written must not end a run that could still be saved; the checkpoint will say so.
    guard let log, let line = try? JSON.line(record) else { return }
    if (try? log.write(contentsOf: line)) != nil {
      position.bytes += line.count
    } else {
      // Half a line, or one that the next checkpoint does not count, would break the lines after it.
      try? log.truncate(atOffset: UInt64(position.bytes))
    }
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
