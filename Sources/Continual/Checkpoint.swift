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
    public var optimizerStep: Int
    public var methods: [MethodRecord]
    /// Length of the log when the checkpoint was written; what came after is repeated.
    public var logBytes: Int
    /// Seconds of training so far, earlier sessions included.
    public var wallSeconds: Double
    /// Hashes of recipe, data, tokenizer and model: a run resumes only with the same.
    public var fingerprints: [String: String]
  }
  public struct MethodRecord: Codable, Sendable {
    public var name: String
    public var numbers: [String: Double]
    public var exemplars: [String: [TokenizedExample]]
  }

  public let url: URL
  public let record: Record

  // MARK: Writing

  /// Writes the trainer's state to `folder/<experience>-<step>` and removes older checkpoints.
  public static func write(
    _ trainer: Trainer, optimizer: (any Optimizer)?, to folder: URL, logBytes: Int, wallSeconds: Double,
    fingerprints: [String: String]
  ) throws {
    let progress = trainer.progress
    let name = String(format: "%04d-%08d", progress.experience, progress.step)
    let temporary = folder.appendingPathComponent(".\(name).tmp")
    try? FileManager.default.removeItem(at: temporary)
    try makeFolder(temporary)
    let parameters = trainer.learner.parameters
    let weights = Dictionary(
      uniqueKeysWithValues: trainer.learner.touched.compactMap { name in parameters[name].map { (name, $0.master) } })
    try SafeTensorsWriter.write(weights, to: temporary.appendingPathComponent("weights.safetensors"))
    try SafeTensorsWriter.write(optimizer?.state ?? [:], to: temporary.appendingPathComponent("optimizer.safetensors"))
    for (index, method) in trainer.methods.enumerated() {
      try SafeTensorsWriter.write(
        flat(method.state.tensors), to: temporary.appendingPathComponent("method-\(index).safetensors"))
    }
    let record = Record(
      experience: progress.experience, step: progress.step, accuracy: progress.matrix, macroF1: progress.macroF1,
      validation: progress.validation, optimizerStep: optimizer?.step ?? 0,
      methods: trainer.methods.map {
        MethodRecord(name: type(of: $0).card.name, numbers: $0.state.numbers, exemplars: $0.state.exemplars)
      },
      logBytes: logBytes, wallSeconds: wallSeconds, fingerprints: fingerprints)
    try AtomicFile.write(try JSON.encode(record), to: temporary.appendingPathComponent("progress.json"))
    try AtomicFile.write(try JSON.encode(try hashes(in: temporary)), to: temporary.appendingPathComponent("manifest.json"))
    let final = folder.appendingPathComponent(name)
    try? FileManager.default.removeItem(at: final)
    guard rename(temporary.path, final.path) == 0 else { throw FileError(action: .write, path: final.path, code: errno) }
    flush(folder)
    for older in names(in: folder) where older < name {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(older))
    }
  }

  // MARK: Reading

  /// The newest complete checkpoint in `folder`, and the names of newer ones that had to be skipped.
  public static func newest(in folder: URL) -> (checkpoint: Checkpoint?, skipped: [String]) {
    var skipped: [String] = []
    for name in names(in: folder).reversed() {
      if let checkpoint = try? Checkpoint(folder.appendingPathComponent(name)) { return (checkpoint, skipped) }
      skipped.append(name)
    }
    return (nil, skipped)
  }

  /// Opens a checkpoint and verifies every file against the manifest.
  public init(_ url: URL) throws {
    self.url = url
    let manifest = try JSON.decode([String: String].self, from: url.appendingPathComponent("manifest.json"))
    let found = try Self.hashes(in: url)
    for (name, hash) in manifest.sorted(by: { $0.key < $1.key }) where found[name] != hash {
      throw CheckpointError.damaged(url, file: name)
    }
    record = try JSON.decode(Record.self, from: url.appendingPathComponent("progress.json"))
    guard record.format == Record.currentFormat else { throw CheckpointError.format(url, record.format) }
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

  /// SHA-256 of every file but the manifest, in hexadecimal.
  private static func hashes(in folder: URL) throws -> [String: String] {
    let files = names(in: folder).filter { $0 != "manifest.json" }
    return try Dictionary(
      uniqueKeysWithValues: files.map { ($0, try Fingerprint.file(folder.appendingPathComponent($0))) })
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
public enum CheckpointError: LocalizedError, CustomStringConvertible {
  case damaged(URL, file: String)
  case format(URL, Int)
  case methods(URL, saved: [String])
  case changed(what: String, URL)

  public var description: String {
    switch self {
    case .damaged(let url, let file):
      "\(url.path) is damaged: \(file) does not match the manifest. Delete this folder to go on from an older checkpoint."
    case .format(let url, let format):
      "\(url.path) has format \(format); this version reads \(Checkpoint.Record.currentFormat). Resume with the version that wrote it."
    case .methods(let url, let saved):
      "\(url.path) was written by the methods \(saved.joined(separator: ", ")). Resume with the same recipe."
    case .changed(let what, let url):
      "the \(what) changed since \(url.path) was written, so a resumed run would not be the same run. "
        + "Restore the \(what), or start anew with another --out."
    }
  }
  public var errorDescription: String? { description }
}
