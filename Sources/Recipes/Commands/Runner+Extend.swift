import Continual
import Evaluation
public import Foundation
import Models
import Streams
import Torch

extension Runner {
  /// Trains one more experience on top of a finished run, in its own folder.
  ///
  /// The data are copied into the run; the matrices gain a row and a column, in which cells that were not measured
  /// stay empty. A run that stops in between goes on with `jay run --resume`.
  ///
  /// `note` gets what a user should know of the data, before training.
  public func extend(_ folder: URL, with addition: Addition, note: (String) -> Void = { _ in }) throws {
    let directory = RunDirectory(folder)
    guard directory.exists else { throw RunError.notARun(folder) }
    try directory.open()
    for remark in try directory.add(addition, places: places) { note(remark) }
    try train(try Recipe(file: directory.recipe), directory, .resume)
  }
}

extension RunDirectory {
  /// Copies new data into the run, which is unfinished from then on.
  func add(_ addition: Addition, places: Places) throws -> [String] {
    guard isComplete else { throw AdditionError.unfinished(url.relativePath) }
    let recipe = try Recipe(file: self.recipe)
    let modelDirectory = try places.model(recipe.model.name)
    let architecture = try ModelDirectory(modelDirectory, needsWeights: !recipe.model.startsFresh).knownArchitecture()
    var stream = try recipe.stream.resolve(places, seed: recipe.header.seed, architecture: architecture)
    for experience in recipe.stream.prepared(try Added.experiences(in: self)) {
      stream = try stream.appending(experience)
    }
    try checkEnd(recipe, stream, places)
    let (experiences, notes) = try addition.read(behind: stream, seed: UInt64(recipe.stream.dataSeed))
    var grown = stream
    for experience in experiences { grown = try grown.appending(experience) }
    try Compatibility.check(recipe, grown, architecture: architecture)

    let name = Added.folderName(experiences[0].name, number: Added.folders(in: self).count + 1)
    let temporary = added.appendingPathComponent(".\(name).tmp")
    try? FileManager.default.removeItem(at: temporary)
    try Added.write(experiences, of: stream, to: temporary)
    // First unfinished, then longer: a run that is killed between the two is finished again by `--resume`.
    var summary = try JSON.decode(Summary.self, from: self.summary)
    summary.isComplete = false
    try AtomicFile.write(try JSON.encode(summary), to: self.summary)
    let final = added.appendingPathComponent(name)
    guard rename(temporary.path, final.path) == 0 else {
      throw FileError(action: .write, path: final.path, code: errno)
    }
    return notes
  }

  /// The run can be gone on with: its last checkpoint is whole, and nothing that it depends on has changed.
  private func checkEnd(_ recipe: Recipe, _ stream: TaskStream, _ places: Places) throws {
    guard let checkpoint = try Checkpoint.newest(in: checkpoints).checkpoint, checkpoint.record.accuracy.isComplete
    else {
      throw AdditionError.noCheckpoint(url.relativePath)
    }
    let model = try places.model(recipe.model.name)
    let tokenizer = try recipe.model.tokenizer.isEmpty ? model : places.tokenizer(recipe.model.tokenizer)
    let fingerprints = try Session.fingerprints(recipe, stream, model, tokenizer: tokenizer)
    if let what = checkpoint.record.firstChange(fingerprints, stream) {
      throw CheckpointError.changed(what: what, checkpoint.url)
    }
  }
}
