import Continual
import Foundation
import Methods
import NN
import TestSupport
import Testing
import Torch

@Suite struct CheckpointTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  enum Recipe: CaseIterable { case finetune, migu, er, ewc, lwf, oLoRAMIGU, replayLoRA, perTask }

  private static func methods(_ recipe: Recipe, _ learner: Learner) throws -> [any ContinualMethod] {
    switch recipe {
    case .finetune: [FineTune(.init(), learner: learner)]
    case .migu: [MIGU(.init(), learner: learner)]
    case .er: [ER(.init(), learner: learner)]
    case .ewc: [try EWC(.init(), learner: learner)]
    case .lwf: [LwF(.init(), learner: learner)]
    case .oLoRAMIGU: [OLoRA(.init(), learner: learner), MIGU(.init(), learner: learner)]
    case .replayLoRA: [Replay(.init(), learner: learner), SequentialLoRA(.init(), learner: learner)]
    case .perTask: [PerTask(.init(), learner: learner)]
    }
  }

  /// Every point of the second and third task, the end of a task and its last update included.
  @Test(arguments: Recipe.allCases, [(1, 0), (1, 3), (2, 8)])
  func goesOnWithTheSameBits(recipe: Recipe, at place: (experience: Int, step: Int)) throws {
    func small() throws -> Small {
      try Small(dropout: 0.1, settings: { $0.schedule = .cosine }) { try Self.methods(recipe, $0) }
    }
    let whole = try small()
    let save = { (trainer: Trainer, optimizer: (any Optimizer)?) in
      guard trainer.progress.experience == place.experience, trainer.progress.step == place.step else { return }
      try Checkpoint.write(trainer, optimizer: optimizer, to: folder.url)
    }
    whole.recorder.onUpdate = { try save($0, $1) }
    whole.recorder.onEnd = { try save($0, nil) }
    try whole.trainer.run()

    let resumed = try small()
    let checkpoint = try #require(try Checkpoint.newest(in: folder.url).checkpoint)
    try checkpoint.restore(resumed.trainer)
    try resumed.trainer.run()
    let rest = resumed.recorder.losses
    #expect(rest.count == 24 - place.experience * 8 - place.step)
    #expect(Array(whole.recorder.losses.suffix(rest.count)) == rest)
    #expect(whole.weights == resumed.weights)
    #expect(try JSON.encode(whole.trainer.progress.matrix) == JSON.encode(resumed.trainer.progress.matrix))
    for (one, other) in zip(whole.trainer.methods, resumed.trainer.methods) {
      #expect(one.state.numbers == other.state.numbers && one.state.exemplars == other.state.exemplars)
      let values = [one, other].map { $0.state.tensors.mapValues { $0.mapValues { $0.values() } } }
      #expect(values[0] == values[1])
    }
  }

  // MARK: Damage

  /// A run with checkpoints after each update of its first task.
  private func saved() throws -> Small {
    let small = try Small(settings: { $0.maxUpdates = 4 }) { [FineTune(.init(), learner: $0)] }
    small.recorder.onUpdate = { try Checkpoint.write($0, optimizer: $1, to: folder.url) }
    try small.trainer.run()
    return small
  }

  @Test func theLastTwoAreKept() throws {
    _ = try saved()
    #expect(folder.names == ["0002-00000003", "0002-00000004"])
  }

  @Test func whatSavesKilledAtTheirVeryEndLeftIsRemoved() throws {
    _ = try saved()
    for name in ["0001-00000001", "0001-00000002"] {
      try FileManager.default.copyItem(
        at: folder.url.appendingPathComponent("0002-00000003"), to: folder.url.appendingPathComponent(name))
    }
    try #require(try Checkpoint.newest(in: folder.url).checkpoint).removeOlder()
    #expect(folder.names == ["0002-00000003", "0002-00000004"])
  }

  @Test func savingTwiceAtOneUpdateReplacesTheFirst() throws {
    let small = try Small { _ in [] }
    for _ in 0..<3 { try Checkpoint.write(small.trainer, optimizer: nil, to: folder.url) }
    #expect(folder.names == ["0000-00000000"])
    #expect(try Checkpoint.newest(in: folder.url).skipped == [])
  }

  @Test func aSaveKilledBetweenItsTwoRenamesLosesNothing() throws {
    let small = try saved(), newest = folder.url.appendingPathComponent("0002-00000004")
    try FileManager.default.moveItem(at: newest, to: folder.url.appendingPathComponent(".0002-00000004.old.tmp"))
    let checkpoint = try #require(try Checkpoint.newest(in: folder.url).checkpoint)
    #expect(checkpoint.record.step == 4)
    checkpoint.removeOlder()
    let resumed = try Small(settings: { $0.maxUpdates = 4 }) { [FineTune(.init(), learner: $0)] }
    try checkpoint.restore(resumed.trainer)
    #expect(resumed.weights == small.weights)
    try Checkpoint.write(small.trainer, optimizer: nil, to: folder.url)
    #expect(folder.names == ["0002-00000004", "0003-00000000"])
  }

  @Test func leftoversOfKilledSavesAreNeitherReadNorKept() throws {
    let small = try Small { _ in [] }
    for name in [".0009-00000001.tmp", ".0000-00000000.old.tmp"] {
      let leftover = folder.url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: leftover, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: leftover.appendingPathComponent("weights.safetensors"))
    }
    #expect(try Checkpoint.newest(in: folder.url).checkpoint == nil)
    try Checkpoint.write(small.trainer, optimizer: nil, to: folder.url)
    #expect(folder.names == ["0000-00000000"])
  }

  private func spoil(_ file: String, _ change: (inout Data) -> Void) throws -> URL {
    let url = folder.url.appendingPathComponent("0002-00000004/\(file)")
    var data = try Data(contentsOf: url)
    change(&data)
    try data.write(to: url)
    return url.deletingLastPathComponent()
  }

  @Test(arguments: ["weights.safetensors", "optimizer.safetensors", "method-0.safetensors", "progress.json"])
  func anyFlippedBitIsFound(file: String) throws {
    _ = try saved()
    let url = try spoil(file) { $0[$0.count / 2] ^= 1 }
    let (checkpoint, skipped) = try Checkpoint.newest(in: folder.url)
    #expect(checkpoint?.url.lastPathComponent == "0002-00000003")
    #expect(skipped == [.damaged(url, file: file)])
  }

  @Test func truncatedWeightsAreFound() throws {
    _ = try saved()
    let url = try spoil("weights.safetensors") { $0.removeLast(4) }
    #expect(try Checkpoint.newest(in: folder.url).skipped == [.damaged(url, file: "weights.safetensors")])
  }

  @Test func missingFilesAreFound() throws {
    _ = try saved()
    let url = folder.url.appendingPathComponent("0002-00000004")
    try FileManager.default.removeItem(at: url.appendingPathComponent("optimizer.safetensors"))
    #expect(try Checkpoint.newest(in: folder.url).skipped == [.damaged(url, file: "optimizer.safetensors")])
    try FileManager.default.removeItem(at: url.appendingPathComponent("manifest.json"))
    let (checkpoint, skipped) = try Checkpoint.newest(in: folder.url)
    #expect(checkpoint?.record.step == 3)
    #expect(skipped == [.incomplete(url, file: "manifest.json")])
  }

  @Test func aLaterFormatIsNotPassedOver() throws {
    _ = try saved()
    let url = folder.url.appendingPathComponent("0002-00000004")
    var record = try Checkpoint(url).record
    record.format = 9
    let progress = url.appendingPathComponent("progress.json"), manifest = url.appendingPathComponent("manifest.json")
    try JSON.encode(record).write(to: progress)
    var hashes = try JSON.decode([String: String].self, from: manifest)
    hashes["progress.json"] = try Fingerprint.file(progress)
    try JSON.encode(hashes).write(to: manifest)
    #expect(throws: CheckpointError.format(url, 9)) { try Checkpoint.newest(in: folder.url) }
  }

  @Test func otherMethodsAreRefused() throws {
    _ = try saved()
    let url = folder.url.appendingPathComponent("0002-00000004")
    let other = try Small { [MIGU(.init(), learner: $0)] }
    #expect(throws: CheckpointError.methods(url, saved: ["finetune"])) { try Checkpoint(url).restore(other.trainer) }
  }

  @Test(arguments: [
    (
      CheckpointError.damaged(place, file: "weights.safetensors"),
      "/run/0001-00000002 is damaged: weights.safetensors does not match the manifest. "
        + "'jay run --resume' goes on from an older checkpoint."
    ),
    (
      .incomplete(place, file: "manifest.json"),
      "/run/0001-00000002 is incomplete: manifest.json is missing or cut off. "
        + "'jay run --resume' goes on from an older checkpoint."
    ),
    (
      .format(place, 9), "/run/0001-00000002 has format 9; this version reads 1. Resume with the version that wrote it."
    ),
    (
      .methods(place, saved: ["er", "migu"]),
      "/run/0001-00000002 was written by the methods er, migu. Resume with the same recipe."
    ),
    (
      .changed(what: "data", place),
      "the data changed since /run/0001-00000002 was written, so a resumed run would not be the same run. "
        + "Restore the data, or start anew with another --out."
    ),
    (
      .changedTraining(place),
      "the training settings changed since /run/0001-00000002 was written, so a resumed run would not be the same run. "
        + "Restore them, start anew with another --out, or accept it with --allow-changed-training."
    ),
  ])
  func errorsSayWhatToDo(error: CheckpointError, sentence: String) { #expect("\(error)" == sentence) }

  private static let place = URL(fileURLWithPath: "/run/0001-00000002")
}
