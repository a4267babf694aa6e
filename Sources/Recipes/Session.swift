import Adapters
public import Continual
import Evaluation
public import Foundation
import Hub
import Methods
import Models
import NN
public import Streams
public import Tokenizers
public import Torch

/// A recipe made real: model, stream, tokenized data, methods, trainer.
public struct Session {
  public let recipe: Recipe
  public let stream: TaskStream
  public let trainer: Trainer
  /// Hashes of what the run depends on.
  public let fingerprints: [String: String]
  public let modelDirectory: URL
  public let tokenizerDirectory: URL
  public let tokenizer: any Tokenizer
  let reading: TextReading

  /// Loads what the recipe names.
  /// - Parameters:
  ///   - recipe: model, stream, methods, settings.
  ///   - places: where all that lies.
  ///   - extra: experiences appended to its stream (`jay continue`).
  ///   - processes: those that train together with this one; nil where it is alone.
  ///   - measuresAbilities: whether the trainer measures the abilities too, for which their data are read.
  ///   - observer: watches the trainer.
  public init(
    _ recipe: Recipe, places: Places, extra: [Experience] = [], processes: Processes? = nil,
    measuresAbilities: Bool = false,
    observer: any TrainingObserver = SilentObserver()
  ) throws {
    self.recipe = recipe
    guard var device = Device(recipe.header.device), device.isAvailable else {
      throw PlaceError.noDevice(recipe.header.device)
    }
    // A GPU each, unless the recipe names one.
    if let processes, recipe.header.device == "cuda" { device = .cuda(processes.place.rankHere) }
    modelDirectory = try places.model(recipe.model.name)
    let architecture = try ModelDirectory(modelDirectory, needsWeights: !recipe.model.startsFresh).knownArchitecture()
    var stream = try recipe.stream.resolve(places, seed: recipe.header.seed, architecture: architecture)
    for experience in recipe.stream.prepared(extra) { stream = try stream.appending(experience) }
    self.stream = stream
    try Compatibility.check(recipe, stream, architecture: architecture)
    tokenizerDirectory = try recipe.model.tokenizer.isEmpty ? modelDirectory : places.tokenizer(recipe.model.tokenizer)
    let tokenizer = try TokenizerLoader.load(from: tokenizerDirectory)
    self.tokenizer = tokenizer
    let seed = UInt64(recipe.header.seed)
    let model = try Self.model(recipe, modelDirectory, device)
    if let adapter = recipe.model.adapterFolder { try Self.merge(adapter, into: model.parameters) }
    let objective = try Pretraining.objective(recipe.training, tokenizer, model, folder: tokenizerDirectory)
    let abilities = measuresAbilities ? try Abilities.streams(recipe, places, architecture: architecture) : []
    let reading = try TextReading(
      recipe, model, objective, tokenizer, folder: tokenizerDirectory, streams: [stream] + abilities)
    self.reading = reading
    let learner = Learner(
      model: model, stream: stream, device: device, seed: seed, objective: objective, processes: processes,
      decode: reading.decode, encode: reading.encode, data: reading.callAsFunction)
    let methods = try recipe.methods.map { name, configuration in
      guard let type = MethodIndex.named(name) else { preconditionFailure("method \(name) passed the reader") }
      return try Self.make(type, configuration, learner)
    }
    trainer = Trainer(
      learner: learner, methods: methods, settings: recipe.training, evaluation: recipe.evaluation, observer: observer)
    if measuresAbilities { trainer.measure(abilities.map(reading.ability)) }
    var prints = try Self.fingerprints(recipe, stream, modelDirectory, tokenizer: tokenizerDirectory)
    prints["chat template"] = reading.fingerprint
    prints["abilities"] = Abilities.fingerprint(abilities)
    fingerprints = prints
  }

  static func model(_ recipe: Recipe, _ directory: URL, _ device: Device) throws -> any TaskModel {
    let use =
      recipe.training.objective == .task
      ? ModelIndex.Use.tasks(
        pooling: .init(rawValue: recipe.model.pooling) ?? .mean, dropout: recipe.model.dropout) : .pretraining
    return try ModelIndex.load(
      directory, for: use,
      ModelIndex.Loading(
        dtype: recipe.training.precision == .bf16 ? .bfloat16 : .float32, device: device,
        seed: UInt64(recipe.header.seed), startsFresh: recipe.model.startsFresh))
  }

  /// Hashes of what a run depends on.
  static func fingerprints(
    _ recipe: Recipe, _ stream: TaskStream, _ modelDirectory: URL, tokenizer: URL
  ) throws -> [String: String] {
    var prints = [
      "recipe": Fingerprint.text(recipe.resumable.changes), "structure": Fingerprint.text(recipe.structure.changes),
      "data": Fingerprint.stream(stream),
      "tokenizer": try hash(HubContents.tokenizerFiles + TokenizerLoader.ownFiles, in: tokenizer),
      "model": try hash(weightFiles(in: modelDirectory), in: modelDirectory),
    ]
    if let adapter = recipe.model.adapterFolder {
      prints["adapter"] = try hash(["adapter_config.json"] + weightFiles(in: adapter), in: adapter)
    }
    for case let adapter as SequentialAdapter.Configuration in recipe.methods.map(\.configuration)
    where !adapter.from.isEmpty {
      let folder = URL(fileURLWithPath: adapter.from)
      prints["bottlenecks"] = try hash(weightFiles(in: folder).filter(BottleneckFile.isName), in: folder)
    }
    return prints
  }

  /// Merges the adapter in a folder into the weights.
  private static func merge(_ folder: URL, into store: ParameterStore) throws {
    let adapters = try AdapterSet(peft: folder, index: 0, in: store)
    guard adapters.isMergeable else { throw PEFTError.notMergeable(folder: folder.path) }
    adapters.merge(into: store)
  }

  private static func make<M: ContinualMethod>(
    _ type: M.Type, _ configuration: any ConfigurationSection, _ learner: Learner
  ) throws -> any ContinualMethod {
    guard let configuration = configuration as? M.Configuration else {
      preconditionFailure("\(type) takes \(M.Configuration.self), not \(Swift.type(of: configuration))")
    }
    return try M(configuration, learner: learner)
  }

  /// Frozen weights are in no checkpoint, so that other weights of the same shape would go unnoticed.
  private static func weightFiles(in directory: URL) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.filter { $0 == "config.json" || $0.hasSuffix(".safetensors") }.sorted()
  }

  private static func hash(_ names: [String], in directory: URL) throws -> String {
    let files = names.map { directory.appendingPathComponent($0) }
    let present = files.filter { FileManager.default.fileExists(atPath: $0.path) }
    let lines = try present.map { "\($0.lastPathComponent) \(try Fingerprint.file($0))" }
    return Fingerprint.text(lines.joined(separator: "\n"))
  }
}

extension Recipe {
  /// The recipe without what may change between two sittings of one run.
  var resumable: Recipe {
    var copy = self
    let defaults = TrainingSettings()
    copy.training.checkpointSeconds = defaults.checkpointSeconds
    copy.training.checkpointSteps = defaults.checkpointSteps
    copy.training.logEvery = defaults.logEvery
    copy.header.device = RecipeHeader().device
    copy.paper = PaperSection()
    return copy
  }

  /// What the recipe sets otherwise than by default, a line for each section. A key that a later version adds leaves it as
  /// it is, so that runs of this version can be opened by that one.
  var changes: String {
    func line(_ name: String, _ section: any ConfigurationSection) -> String {
      func value(_ section: any ConfigurationSection) -> ConfigurationValue {
        .mapping(
          Dictionary(uniqueKeysWithValues: ConfigurationField.all(of: section).map { ($0.key.name, $0.value) }))
      }
      return "\(name): " + (value(section).change(from: value(type(of: section).init()))?.line ?? "{}")
    }
    let sections: [(name: String, configuration: any ConfigurationSection)] =
      [("recipe", header), ("model", model), ("stream", stream)] + methods
      + [("training", training), ("evaluation", evaluation)]
    return sections.map { line($0.name, $0.configuration) }.joined(separator: "\n")
  }

  /// Whether a run of another recipe is a run of this one.
  func isSame(as other: Recipe) -> Bool { resumable.yaml() == other.resumable.yaml() }

  /// The recipe without the settings that say only how far an update moves: with others a run can still go on from
  /// where it stands (`--allow-changed-training`), though it is no longer the same run.
  var structure: Recipe {
    var copy = resumable
    let defaults = TrainingSettings()
    copy.training.learningRate = defaults.learningRate
    copy.training.schedule = defaults.schedule
    copy.training.warmup = defaults.warmup
    copy.training.weightDecay = defaults.weightDecay
    copy.training.clipNorm = defaults.clipNorm
    copy.training.precision = defaults.precision
    return copy
  }
}

extension ModelSection {
  /// The folder of the adapter that is merged in; nil where there is none.
  var adapterFolder: URL? { adapter.isEmpty ? nil : URL(fileURLWithPath: adapter) }
}
