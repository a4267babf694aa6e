import Continual
public import Evaluation
public import Foundation
import Streams
import Torch

/// The folder of one run. Every file is written whole or not at all; a lock keeps two runs out of it.
public final class RunDirectory {
  public let url: URL
  private var lock: Int32 = -1

  public init(_ url: URL) { self.url = url }
  deinit { if lock >= 0 { close(lock) } }

  public var recipe: URL { file("recipe.yaml") }
  public var environment: URL { file("environment.json") }
  public var log: URL { file("log.jsonl") }
  public var matrix: URL { file("matrix.json") }
  public var metrics: URL { file("metrics.json") }
  public var summary: URL { file("summary.json") }
  /// Scores of the abilities, where the recipe names some.
  public var abilities: URL { file("abilities.json") }
  public var report: URL { file("report.html") }
  public var checkpoints: URL { file("checkpoints") }
  /// TensorBoard finds a file by "tfevents" in its name.
  public var events: URL { file("tensorboard/events.out.tfevents.jay") }
  public var added: URL { file("added") }

  /// The models after each experience, where the recipe keeps them: `01-agnews`, ….
  public var models: URL { file("models") }
  /// Place of the model after an experience.
  func model(after experience: Experience) -> URL {
    models.appendingPathComponent(Added.folderName(experience.name, number: experience.index + 1))
  }

  public func file(_ name: String) -> URL { url.appendingPathComponent(name) }
  public var exists: Bool { FileManager.default.fileExists(atPath: recipe.path) }

  /// Whether the run was trained to its end and every result is written, of which the report is the last.
  public var isComplete: Bool {
    [report, matrix].allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
      && (try? JSON.decode(Summary.self, from: summary))?.isComplete ?? false
  }

  /// What gives the same run in another folder, experiences that were added included.
  var repeatCommand: String {
    let added = Added.folders(in: self).map { "jay continue NEW --data \($0.relativePath)" }
    return (["jay run \(recipe.relativePath) --out NEW"] + added).joined(separator: " && ")
  }

  /// Makes the folder and takes its lock, or says who has it.
  public func open() throws {
    try Self.make(checkpoints)
    lock = Foundation.open(file(".lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw FileError(action: .create, path: url.path, code: errno) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw RunError.locked(url) }
    removeUnfinished()
  }

  /// The runs of several seeds in a folder that is none itself, by seed.
  public var seeds: [(seed: Int, run: RunDirectory)] {
    guard !exists else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("seed-"), let seed = Int(name.dropFirst("seed-".count)) else { return nil }
      let run = RunDirectory(file(name))
      return run.exists ? (seed, run) : nil
    }.sorted { $0.seed < $1.seed }
  }

  /// Takes away what `open` made, where nothing came of it.
  func removeEmpty() {
    guard !exists else { return }
    unlink(file(".lock").path)
    rmdir(checkpoints.path)
    rmdir(url.path)
  }

  private static func make(_ folder: URL) throws {
    if mkdir(folder.path, 0o755) == 0 || errno == EEXIST { return }
    if errno == ENOENT, folder.pathComponents.count > 1 {
      try make(folder.deletingLastPathComponent())
      if mkdir(folder.path, 0o755) == 0 { return }
    }
    throw FileError(action: .create, path: folder.path, code: errno)
  }

  /// Temporary files of a process that was killed while it wrote.
  private func removeUnfinished() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    for name in names where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(at: file(name))
    }
  }

  /// The matrices of a run as `matrix.json` holds them; no time stands in it, so equal runs give equal bytes.
  public struct Matrices: Codable, Sendable {
    public var accuracy: AccuracyMatrix
    public var macroF1: AccuracyMatrix
    public var validation: AccuracyMatrix
    public var loss: AccuracyMatrix?
  }

  /// Facts of a run that are neither scores nor settings.
  public struct Summary: Codable, Sendable {
    public var methods: [String]
    public var stream: String
    public var scenario: String
    public var model: String
    public var seed: Int
    public var learningRate: Double
    public var variant: String
    public var command: String
    public var isComplete: Bool
    public var wallSeconds: Double
    public var timings: [ExperienceTiming]
    public var trainableParameters: Int
    public var totalParameters: Int
    public var bytesStored: Int
    public var peakBytes: Int
    public var abilities: Abilities?

    /// The abilities at the end, and how much more that is than before any training.
    public struct Abilities: Codable, Sendable {
      /// Mean in percent.
      public var mean, change: Double?
      /// Mean loss in nats a token.
      public var loss, lossChange: Double?

      init(_ scores: AbilityScores) {
        (mean, change) = (scores.finalMean, scores.change)
        (loss, lossChange) = (scores.finalLoss, scores.lossChange)
      }
    }
  }

  /// What a report and a comparison need, read from the files.
  public func record() throws -> RunRecord {
    let matrices = try JSON.decode(Matrices.self, from: matrix)
    let summary = try JSON.decode(Summary.self, from: summary)
    var record = RunRecord(
      id: url.lastPathComponent, methods: summary.methods, seed: summary.seed, stream: summary.stream,
      matrix: matrices.accuracy)
    (record.macroF1, record.validation) = (matrices.macroF1, matrices.validation)
    record.loss = matrices.loss
    record.abilities = try? JSON.decode(AbilityScores.self, from: abilities)
    (record.scenario, record.model, record.variant) = (summary.scenario, summary.model, summary.variant)
    (record.learningRate, record.command) = (summary.learningRate, summary.command)
    (record.wallSeconds, record.timings) = (summary.wallSeconds, summary.timings)
    (record.trainableParameters, record.totalParameters) = (summary.trainableParameters, summary.totalParameters)
    (record.bytesStored, record.peakBytes) = (summary.bytesStored, summary.peakBytes)
    record.recipe = (try? String(contentsOf: recipe, encoding: .utf8)) ?? ""
    record.environment = (try? JSON.decode([String: String].self, from: environment)) ?? [:]
    let lines = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    record.steps = lines.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(StepRecord.self, from: Data($0.utf8))
    }
    return record
  }
}

extension RunDirectory {
  /// The model that the run kept after each experience, or after the last one only.
  /// - Throws: `RunError.noKeptModel`.
  func keptModels(onlyLast: Bool = false) throws -> [(after: String, name: String, place: URL)] {
    let models = try record().matrix.experiences.enumerated().map { index, experience in
      let name = Added.folderName(experience, number: index + 1)
      return (after: experience, name: name, place: self.models.appendingPathComponent(name))
    }
    let wanted = onlyLast ? models.suffix(1) : models
    if let missing = wanted.first(where: { !FileManager.default.fileExists(atPath: $0.place.path) }) {
      throw RunError.noKeptModel(url, after: missing.after)
    }
    return wanted
  }
}

/// A run folder that cannot be used as asked.
public enum RunError: LocalizedError, CustomStringConvertible {
  case locked(URL)
  case unfinished(URL)
  case finished(URL)
  case nothingToResume(URL)
  case notARun(URL)
  case noModel(URL, isFinished: Bool)
  case noKeptModel(URL, after: String)
  case holdsSeeds(URL)
  case finishedOther(URL)

  public var description: String {
    switch self {
    case .locked(let url): "another process is running in \(url.path). Wait for it, stop it, or choose another --out."
    case .unfinished(let url):
      "\(url.path) holds a run that is not finished. Add --resume to go on, or choose another --out."
    case .finished(let url):
      "\(url.path) holds a finished run. Choose another --out; 'jay continue \(url.path) --data NEW.jsonl' adds an experience."
    case .nothingToResume(let url): "there is no run to resume in \(url.path). Leave out --resume, or check --out."
    case .noModel(let url, isFinished: false):
      "\(url.path) has not saved a model yet. Go on with: jay run --resume --out \(url.path)"
    case .noModel(let url, isFinished: true):
      "the checkpoints of \(url.path) were removed, and its model with them. Train it again: jay run "
        + "\(url.path)/recipe.yaml --out NEW"
    case .noKeptModel(let url, let experience):
      "\(url.relativePath) has no model of after '\(experience)'. Train it with training.keepModels: true."
    case .holdsSeeds(let url):
      "\(url.path) holds runs of several seeds. Choose another --out, or go on with these: jay run --resume --out \(url.path)"
    case .finishedOther(let url):
      "\(url.path) holds a finished run of another recipe. Choose another --out."
    case .notARun(let url):
      "\(url.path) is not the folder of a run: it has no recipe.yaml. 'jay run' writes such folders."
    }
  }
  public var errorDescription: String? { description }
}
