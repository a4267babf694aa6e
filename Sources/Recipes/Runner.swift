import Continual
import Evaluation
public import Foundation
import Models
import NN
import Report
import Streams
public import Torch

/// Runs a recipe into a folder: starts, resumes, extends.
public struct Runner {
  public enum Start: Sendable { case new, resume }

  public let places: Places
  /// No progress on the terminal.
  public var isQuiet = false
  /// Asked after every update: whether to save and stop.
  var isInterrupted: () -> Bool = { Interrupt.isRequested }
  /// Whether a resumed run may have other training settings (learning rate, precision, …) than before.
  public var allowsChangedTraining = false
  /// What goes on with an interrupted run; nil for `jay run --resume` on its folder.
  public var resumeCommand: String?
  /// The processes that train together with this one; the first writes the run down, the others only compute.
  public var processes: Processes?
  /// Whether this is the process that writes the run down.
  public var writes: Bool { processes?.rank ?? 0 == 0 }

  public init(places: Places) { self.places = places }

  /// Trains what is left of the recipe and writes everything to `folder`; of a finished run nothing is left.
  public func run(_ recipe: Recipe, in folder: URL, start: Start, name: String = "") throws {
    let directory = RunDirectory(folder)
    // A damaged checkpoint is made again from the one before it.
    if start == .resume, directory.isComplete, try Checkpoint.newest(in: directory.checkpoints).skipped.isEmpty {
      guard recipe.isSame(as: try Recipe(file: directory.recipe)) else { throw RunError.finishedOther(folder) }
      return
    }
    if let processes, !writes { return try follow(recipe, directory, processes) }
    switch (start, directory.exists) {
    case (.new, true):
      throw (try? directory.record())?.matrix.isComplete == true
        ? RunError.finished(folder) : RunError.unfinished(folder)
    case (.resume, false): throw RunError.nothingToResume(folder)
    default: break
    }
    guard directory.seeds.isEmpty else { throw RunError.holdsSeeds(folder) }
    try directory.open()
    do {
      try train(recipe, directory, start, name)
    } catch {
      directory.removeEmpty()
      throw error
    }
  }

  private func defaultResumeCommand(_ folder: URL) -> String {
    "jay run --resume --out \(folder.relativePath)" + (processes.map { " --processes \($0.count)" } ?? "")
  }

  /// Trains what is left in a folder that is open.
  func train(_ recipe: Recipe, _ directory: RunDirectory, _ start: Start, _ name: String = "") throws {
    let folder = directory.url
    let line = ProgressLine(prefix: name.isEmpty ? "" : "[\(name)] ", isQuiet: isQuiet)
    let observer = RunObserver(
      directory, settings: recipe.training, progress: line,
      resumeCommand: resumeCommand ?? defaultResumeCommand(folder))
    observer.isInterrupted = isInterrupted
    let session = try Session(
      recipe, places: places, extra: try Added.experiences(in: directory), processes: processes,
      measuresAbilities: true, observer: observer)
    (observer.fingerprints, observer.device) = (session.fingerprints, session.trainer.learner.device)
    if recipe.training.keepModels {
      observer.keep = { try Export.keep(session, after: $0, to: directory.model(after: $0)) }
    }
    // The session holds the observer.
    defer { observer.keep = { _ in } }
    try session.trainer.checkRecording()
    try Self.checkRoom(session, directory)
    for remark in session.remarks { line.warn(remark) }
    try resume(session, directory, observer, line)
    if let processes { try Self.agree(session, processes) }
    line.say(
      "\(recipe.methodNames.joined(separator: " + ")) on \(session.stream.name) (\(session.stream.scenario.rawValue), "
        + "\(session.stream.count) experiences), seed \(recipe.header.seed)")
    do {
      try session.trainer.run()
    } catch {
      try? Self.writeResults(session, directory, observer)
      throw error
    }
    try Self.writeResults(session, directory, observer)
  }

  /// Trains beside the process that writes the run down.
  private func follow(_ recipe: Recipe, _ directory: RunDirectory, _ processes: Processes) throws {
    let session = try Session(
      recipe, places: places, extra: try Added.experiences(in: directory), processes: processes, measuresAbilities: true
    )
    try Checkpoint.newest(in: directory.checkpoints).checkpoint?.restore(session.trainer)
    try Self.agree(session, processes)
    try session.trainer.run()
  }

  /// Refuses to begin unless all processes read the same and stand at the same update.
  private static func agree(_ session: Session, _ processes: Processes) throws {
    let progress = session.trainer.progress
    var facts = session.fingerprints
    facts["checkpoint"] = "\(progress.experience) \(progress.step)"
    for (what, own) in facts.sorted(by: { $0.key < $1.key }) {
      let digest = Array(Fingerprint.text(own).utf8.prefix(16)).map(Int64.init)
      let first = Tensor(digest, shape: [digest.count])
      try processes.copyFirst(first)
      guard first.scalars(Int64.self) == digest else { throw ProcessesError.differs(what: what, rank: processes.rank) }
    }
  }

  private func resume(_ session: Session, _ directory: RunDirectory, _ observer: RunObserver, _ line: ProgressLine)
    throws
  {
    let (checkpoint, skipped) = try Checkpoint.newest(in: directory.checkpoints)
    for error in skipped { line.warn("skipped a checkpoint: \(error)") }
    guard let checkpoint else {
      if !skipped.isEmpty { line.warn("no checkpoint is whole: the run starts again from the beginning") }
      try writeSetup(session.recipe, directory)
      return try observer.open(resuming: nil)
    }
    if let what = checkpoint.record.firstChange(session.fingerprints, session.stream) {
      guard what == "training settings", allowsChangedTraining else {
        throw what == "training settings"
          ? CheckpointError.changedTraining(checkpoint.url) : CheckpointError.changed(what: what, checkpoint.url)
      }
      line.warn("the training settings changed: from here on this is not the run that began")
      try writeSetup(session.recipe, directory)
    }
    let began = (try? JSON.decode([String: String].self, from: directory.environment)) ?? [:]
    let now = Environment.facts(session.recipe, processes: processes?.count ?? 1)
    for what in ["threads", "processes", "device"] {
      guard let then = began[what], let now = now[what], then != now else { continue }
      line.warn("the run began with \(what) \(then), now \(now): sums may differ in their last bits")
    }
    try checkpoint.restore(session.trainer)
    checkpoint.removeOlder()
    try observer.open(resuming: checkpoint.record)
    line.say("resumed at experience \(checkpoint.record.experience + 1), update \(checkpoint.record.step)")
  }

  /// What the run is, before it trains; the recipe comes last, because with it the folder is a run's.
  private func writeSetup(_ recipe: Recipe, _ directory: RunDirectory) throws {
    let facts = Environment.facts(recipe, processes: processes?.count ?? 1)
    try AtomicFile.write(try JSON.encode(facts), to: directory.environment)
    try AtomicFile.write(recipe.yaml(comments: true), to: directory.recipe)
  }

  /// The matrices, metrics, summary and report of a run, finished or not.
  static func writeResults(_ session: Session, _ directory: RunDirectory, _ observer: RunObserver) throws {
    let progress = session.trainer.progress, learner = session.trainer.learner, recipe = session.recipe
    // Of an earlier session; without a report the folder does not pass for complete should this be killed.
    try? FileManager.default.removeItem(at: directory.report)
    let matrices = RunDirectory.Matrices(
      accuracy: progress.matrix, macroF1: progress.macroF1, validation: progress.validation,
      loss: progress.loss)
    try AtomicFile.write(try JSON.encode(matrices), to: directory.matrix)
    try AtomicFile.write(try JSON.encode(Metric.values(of: progress.matrix)), to: directory.metrics)
    if let abilities = progress.abilities {
      try AtomicFile.write(try JSON.encode(abilities), to: directory.abilities)
    }
    let summary = RunDirectory.Summary(
      methods: recipe.methodNames, stream: session.stream.name, scenario: session.stream.scenario.rawValue,
      model: recipe.model.name, seed: recipe.header.seed, learningRate: recipe.training.learningRate,
      variant: recipe.variant, command: directory.repeatCommand,
      isComplete: progress.matrix.isComplete, wallSeconds: observer.wallSeconds, timings: observer.timings,
      trainableParameters: progress.trainableParameters,
      totalParameters: learner.parameters.all.reduce(0) { $0 + $1.count },
      bytesStored: session.trainer.methods.reduce(0) { $0 + $1.state.byteCount },
      peakBytes: max(observer.peakBytes, Memory.peak(on: learner.device)),
      abilities: progress.abilities.map(RunDirectory.Summary.Abilities.init))
    try AtomicFile.write(try JSON.encode(summary), to: directory.summary)
    try AtomicFile.write(
      ReportPage.html(
        runs: [try directory.record()],
        title: "\(recipe.methodNames.joined(separator: " + ")) on \(session.stream.name)"),
      to: directory.report)
  }

  /// Refuses a run that cannot fit, before it starts.
  private static func checkRoom(_ session: Session, _ directory: RunDirectory) throws {
    let plan = try Plan(session)
    let needed = plan.diskBytes - Disk.size(of: directory.checkpoints)
    if let disk = Disk.available(at: directory.url), disk < needed {
      throw RoomError.disk(needed: needed, available: disk, path: directory.url.path)
    }
    let available = Memory.available(on: session.trainer.learner.device)
    if available > 0, available < plan.memoryBytes {
      throw RoomError.memory(needed: plan.memoryBytes, available: available)
    }
  }
}

extension Checkpoint.Record {
  /// What a session depends on that is not what it was when the checkpoint was written; nil if all is the same.
  /// Experiences that the stream gained since are no change.
  func firstChange(_ fingerprints: [String: String], _ stream: TaskStream) -> String? {
    var now = fingerprints
    now["data"] = Fingerprint.stream(stream, first: accuracy.experiences.count)
    func isSame(_ what: String) -> Bool { self.fingerprints[what] == now[what] }
    // What a session has no part in (abilities, where it only reads) is no change.
    let parts =
      ["data", "tokenizer", "model", "adapter"]
      + ["bottlenecks", "chat template", "abilities"].filter { now[$0] != nil }
    if let what = parts.first(where: { !isSame($0) }) { return what }
    return isSame("recipe") ? nil : isSame("structure") ? "training settings" : "recipe"
  }
}

/// Too little memory or disk for a run.
public enum RoomError: LocalizedError, CustomStringConvertible {
  case disk(needed: Int, available: Int, path: String)
  case memory(needed: Int, available: Int)

  public var description: String {
    switch self {
    case .disk(let needed, let available, let path):
      "the run needs about \(Plan.size(needed)) of disk, \(path) has \(Plan.size(available)). Free some, or choose another --out."
    case .memory(let needed, let available):
      "the run needs about \(Plan.size(needed)) of memory, \(Plan.size(available)) are free. Lower training.batchSize or "
        + "training.maxTokens, or train an adapter (lora)."
    }
  }
  public var errorDescription: String? { description }
}

extension Recipe {
  /// What tells this recipe from others of the same methods: the settings of methods that are not the defaults.
  var variant: String {
    methods.flatMap { name, configuration in
      MethodIndex.named(name).map { RecipeWriter.differences(configuration, from: MethodIndex.configuration(of: $0)) }
        ?? []
    }.joined(separator: ", ")
  }
}
