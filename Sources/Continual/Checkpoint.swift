import Crypto
public import Evaluation
public import Foundation
public import NN
public import Streams
import Torch

/// A folder that holds everything a run needs to go on with the same bits: weights that ever trained, optimizer
/// moments, the methods' state, and where the run stands. Written under a temporary name, flushed, with a SHA-256
/// manifest last, then renamed; only safetensors and JSON.
public struct Checkpoint {
  /// What a checkpoint says of the run besides tensors.
  public struct Record: Codable, Sendable {
    public static let currentFormat = 1
    public var format = Record.currentFormat
    public var experience: Int
    public var step: Int
    public var accuracy: AccuracyMatrix
    public var macroF1: AccuracyMatrix
    public var validation: AccuracyMatrix
    public var loss: AccuracyMatrix?
    public var abilities: AbilityScores?
    /// As `TrainingProgress` has it; nil of earlier versions.
    public var trainableParameters: Int?
    public var optimizerStep: Int
    public var methods: [MethodRecord]
    /// What comes later in the log is cut off on resume, and written again.
    public var log: LogPosition
    /// Seconds of training so far, earlier sessions included.
    public var wallSeconds: Double
    /// Hashes of recipe, data, tokenizer and model: a run resumes only with the same.
    public var fingerprints: [String: String]
  }
  /// Where the log stood.
  public struct LogPosition: Codable, Sendable {
    public var bytes = 0
    /// Updates of the whole run.
    public var step = 0
    /// Tokens since the last record.
    public var tokens = 0

    public init() {}
  }
  public struct MethodRecord: Codable, Sendable {
    public var name: String
    public var numbers: [String: Double]
    public var exemplars: [String: [TokenizedExample]]
  }

  public let url: URL
  public let record: Record

  // MARK: Writing

  /// Writes the trainer's state to `folder/<experience>-<step>`. The checkpoint before it is kept, should this one
  /// be damaged later; older ones are removed. Not to be called between the beginning of an experience and its first
  /// update, nor by two processes at once.
  public static func write(
    _ trainer: Trainer, optimizer: (any Optimizer)?, to folder: URL, log: LogPosition = .init(),
    wallSeconds: Double = 0, fingerprints: [String: String] = [:]
  ) throws {
    let progress = trainer.progress
    let record = Record(
      experience: progress.experience, step: progress.step, accuracy: progress.matrix, macroF1: progress.macroF1,
      validation: progress.validation, loss: progress.loss, abilities: progress.abilities,
      trainableParameters: progress.trainableParameters, optimizerStep: optimizer?.step ?? 0,
      methods: trainer.methods.map {
        MethodRecord(name: type(of: $0).card.name, numbers: $0.state.numbers, exemplars: $0.state.exemplars)
      },
      log: log, wallSeconds: wallSeconds, fingerprints: fingerprints)
    let name = String(format: "%04d-%08d", progress.experience, progress.step)
    removeUnfinished(in: folder)
    let temporary = folder.appendingPathComponent(".\(name).tmp")
    do {
      try makeFolder(temporary)
      try fill(temporary, trainer, optimizer, record)
      try replace(folder.appendingPathComponent(name), by: temporary)
    } catch {
      // On a full disk the half-written folder would hold the last space.
      try? FileManager.default.removeItem(at: temporary)
      throw error
    }
    removeOlder(than: name, in: folder)
  }

  /// Removes the checkpoints before this one, but for the last of them: saves that were killed at their very end may
  /// have left more.
  public func removeOlder() { Self.removeOlder(than: url.lastPathComponent, in: url.deletingLastPathComponent()) }

  private static func removeOlder(than name: String, in folder: URL) {
    for older in names(in: folder).filter({ $0 < name }).dropLast() {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(older))
    }
  }

  /// Every file, each flushed, the manifest last.
  private static func fill(
    _ folder: URL, _ trainer: Trainer, _ optimizer: (any Optimizer)?, _ record: Record
  ) throws {
    let parameters = trainer.learner.parameters
    let weights = Dictionary(
      uniqueKeysWithValues: trainer.learner.touched.compactMap { name in parameters[name].map { (name, $0.master) } })
    try SafeTensorsWriter.write(weights, to: folder.appendingPathComponent("weights.safetensors"))
    try SafeTensorsWriter.write(optimizer?.state ?? [:], to: folder.appendingPathComponent("optimizer.safetensors"))
    for (index, method) in trainer.methods.enumerated() {
      try SafeTensorsWriter.write(
        flat(method.state.tensors), to: folder.appendingPathComponent("method-\(index).safetensors"))
    }
    try AtomicFile.write(try JSON.encode(record), to: folder.appendingPathComponent("progress.json"))
    try AtomicFile.write(try JSON.encode(try hashes(in: folder)), to: folder.appendingPathComponent("manifest.json"))
    flush(folder)
  }

  /// Gives a complete folder its final name. One of that name (the run stopped twice at one update) makes way
  /// whole, so that there is never half a checkpoint under a final name, and counts until its name is taken.
  private static func replace(_ final: URL, by temporary: URL) throws {
    let old = final.deletingLastPathComponent().appendingPathComponent(".\(final.lastPathComponent)\(oldSuffix)")
    rename(final.path, old.path)
    guard rename(temporary.path, final.path) == 0 else {
      throw FileError(action: .write, path: final.path, code: errno)
    }
    flush(final.deletingLastPathComponent())
    try? FileManager.default.removeItem(at: old)
  }

  private static let oldSuffix = ".old.tmp"

  /// The final name of one that made way; nil of any other.
  private static func finalName(ofOld name: String) -> String? {
    name.hasPrefix(".") && name.hasSuffix(oldSuffix) ? String(name.dropFirst().dropLast(oldSuffix.count)) : nil
  }

  /// What killed saves left behind; one that made way takes its name back where that is free.
  private static func removeUnfinished(in folder: URL) {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in all where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      let url = folder.appendingPathComponent(name)
      if let final = finalName(ofOld: name), rename(url.path, folder.appendingPathComponent(final).path) == 0 {
        continue
      }
      try? FileManager.default.removeItem(at: url)
    }
  }

  // MARK: Reading

  /// The newest complete checkpoint in `folder`, and what was wrong with newer ones.
  /// - Throws: `CheckpointError.format` where a checkpoint is sound but of another version: passing it over would
  ///   train again what is trained already.
  public static func newest(in folder: URL) throws -> (checkpoint: Checkpoint?, skipped: [CheckpointError]) {
    var skipped: [CheckpointError] = []
    for url in checkpoints(in: folder).reversed() {
      do {
        return (try Checkpoint(url), skipped)
      } catch let error as CheckpointError {
        if case .format = error { throw error }
        skipped.append(error)
      }
    }
    return (nil, skipped)
  }

  /// Opens a checkpoint and verifies every file against the manifest.
  /// - Throws: `CheckpointError`.
  public init(_ url: URL) throws {
    struct Format: Decodable { let format: Int }
    self.url = url
    func read<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
      guard let value = try? JSON.decode(type, from: url.appendingPathComponent(name)) else {
        throw CheckpointError.incomplete(url, file: name)
      }
      return value
    }
    let manifest = try read([String: String].self, "manifest.json")
    let found = (try? Self.hashes(in: url)) ?? [:]
    for (name, hash) in manifest.sorted(by: { $0.key < $1.key }) where found[name] != hash {
      throw CheckpointError.damaged(url, file: name)
    }
    let format = try read(Format.self, "progress.json").format
    guard format == Record.currentFormat else { throw CheckpointError.format(url, format) }
    record = try read(Record.self, "progress.json")
  }

  /// Puts the trainer where the checkpoint was written. The trainer must be freshly made from the same recipe.
  public func restore(_ trainer: Trainer) throws {
    let learner = trainer.learner
    guard trainer.methods.map({ type(of: $0).card.name }) == record.methods.map(\.name) else {
      throw CheckpointError.methods(url, saved: record.methods.map(\.name))
    }
    let begun = record.experience + (record.step > 0 ? 1 : 0)
    for experience in learner.stream.experiences.prefix(begun) {
      learner.begin(experience)
      for method in trainer.methods { try method.prepare(experience, learner: learner) }
    }
    let weights = try SafeTensorsFile(url.appendingPathComponent("weights.safetensors")).tensors()
    learner.parameters.restore(weights)
    learner.touch(weights.keys)
    for (index, method) in trainer.methods.enumerated() {
      let file = try SafeTensorsFile(url.appendingPathComponent("method-\(index).safetensors"))
      var state = MethodState()
      for (name, tensor) in file.tensors() {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        state.tensors[parts[0], default: [:]][parts[1]] = tensor.clone().to(device: learner.device)
      }
      (state.numbers, state.exemplars) = (record.methods[index].numbers, record.methods[index].exemplars)
      method.state = state
    }
    let moments = try SafeTensorsFile(url.appendingPathComponent("optimizer.safetensors")).tensors()
      .mapValues { $0.to(device: learner.device) }
    trainer.restore(record, optimizer: moments)
  }

  // MARK: Pieces

  private static func flat(_ groups: [String: [String: Tensor]]) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: groups.flatMap { group, tensors in tensors.map { ("\(group)/\($0.key)", $0.value) } })
  }

  private static func names(in folder: URL) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Folders of checkpoints, the newest last. One that made way is among them while its name is free: the save that
  /// was to take it was killed.
  private static func checkpoints(in folder: URL) -> [URL] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let found = all.compactMap { name -> (key: String, name: String)? in
      guard name.hasPrefix(".") else { return (name, name) }
      guard let final = finalName(ofOld: name), !all.contains(final) else { return nil }
      return (final, name)
    }
    return found.sorted { $0.key < $1.key }.map { folder.appendingPathComponent($0.name) }
  }

  /// SHA-256 of every file but the manifest, in hexadecimal; on all cores.
  private static func hashes(in folder: URL) throws -> [String: String] {
    let files = names(in: folder).filter { $0 != "manifest.json" }
    typealias Hash = Result<String, any Error>
    let hashes = [Hash](unsafeUninitializedCapacity: files.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      DispatchQueue.concurrentPerform(iterations: files.count) { index in
        let file = folder.appendingPathComponent(files[index])
        results.initializeElement(at: index, to: Hash { try Fingerprint.file(file) })
      }
      count = files.count
    }
    return Dictionary(uniqueKeysWithValues: zip(files, try hashes.map { try $0.get() }))
  }

  private static func makeFolder(_ url: URL) throws {
    guard mkdir(url.path, 0o755) == 0 || errno == EEXIST else {
      throw FileError(action: .create, path: url.path, code: errno)
    }
  }

  private static func flush(_ folder: URL) {
    let descriptor = open(folder.path, O_RDONLY)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

/// A checkpoint that cannot be used.
public enum CheckpointError: LocalizedError, CustomStringConvertible, Equatable {
  case damaged(URL, file: String)
  case incomplete(URL, file: String)
  case format(URL, Int)
  case methods(URL, saved: [String])
  case changed(what: String, URL)
  case changedSince(what: String, URL)
  case changedTraining(URL)

  public var description: String {
    switch self {
    case .damaged(let url, let file):
      "\(url.path) is damaged: \(file) does not match the manifest. 'jay run --resume' goes on from an older checkpoint."
    case .incomplete(let url, let file):
      "\(url.path) is incomplete: \(file) is missing or cut off. 'jay run --resume' goes on from an older checkpoint."
    case .format(let url, let format):
      "\(url.path) has format \(format); this version reads \(Checkpoint.Record.currentFormat). Resume with the version that wrote it."
    case .methods(let url, let saved):
      "\(url.path) was written by the methods \(saved.joined(separator: ", ")). Resume with the same recipe."
    case .changed(let what, let url):
      "the \(what) changed since \(url.path) was written, so a resumed run would not be the same run. "
        + "Restore the \(what), or start anew with another --out."
    case .changedSince(let what, let url):
      "the \(what) changed since \(url.path) was written, so its weights would be read for something else. Restore the "
        + "\(what), or train anew."
    case .changedTraining(let url):
      "the training settings changed since \(url.path) was written, so a resumed run would not be the same run. "
        + "Restore them, start anew with another --out, or accept it with --allow-changed-training."
    }
  }
  public var errorDescription: String? { description }
}
