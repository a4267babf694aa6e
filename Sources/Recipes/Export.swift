import Adapters
import Continual
public import Foundation
import Hub
import Models
import NN
import Streams
import Tokenizers
import Torch

/// The model of a run as a Hugging Face directory, with its heads beside it.
public enum Export {
  /// The heads as `jay.json` describes them.
  struct Description: Encodable {
    struct Task: Encodable {
      let name: String
      let labels: [String]
      /// Row of `heads.safetensors` blocks: the global class of each label.
      let classes: [Int]
    }
    let version: String
    let pooling: String
    let taskLabelAtTest: Bool
    let tasks: [Task]
    /// Global classes of each block `heads.<k>`, in order of rows.
    let blocks: [[Int]]
  }

  /// Writes the newest checkpoint of a run; `task` says whose model, for methods that keep one a task, and `shardSize`
  /// how large a file of weights may be (`500MB`; nil for 5 GB).
  public static func run(
    _ folder: URL, to target: URL, task: String?, places: Places, shardSize: String? = nil
  ) throws {
    let size = try shardSize.map { try ShardSize($0) } ?? .standard
    let session = try Session.restored(folder, places: places)
    try write(session, experience: try session.chosen(task), to: target, shardSize: size)
  }

  /// Writes the adapters of the newest checkpoint of a run in PEFT format, as its predictions use them: the LoRA of all
  /// experiences as one, the prompts of a task as one.
  public static func adapter(_ folder: URL, to target: URL, task: String?, places: Places) throws {
    let session = try Session.restored(folder, places: places)
    let learner = session.trainer.learner
    let directory = try ModelDirectory(session.modelDirectory, needsWeights: false)
    let family = ModelIndex.family(try directory.knownArchitecture())
    try learner.predicting(try session.chosen(task), methods: session.trainer.methods) {
      try PEFT.write(learner.parameters, for: family.task, to: target)
    }
  }

  /// Writes the model after an experience as a run keeps it: with its bottlenecks, which are no change of weights, in files
  /// beside it, one for each experience so far where predictions are told the experience.
  static func keep(_ session: Session, after experience: Experience, to target: URL) throws {
    let learner = session.trainer.learner, methods = session.trainer.methods
    let bottlenecks = AdapterSet(bottlenecksOf: learner.parameters)
    try write(session, experience: experience.index, to: target, leavingOut: bottlenecks)
    guard !bottlenecks.adapters.isEmpty else { return }
    let told: [Int?] = learner.knowsTaskAtTest ? learner.seen.map(\.index) : [nil]
    for (place, experience) in told.enumerated() {
      try learner.predicting(experience, methods: methods) {
        try BottleneckFile.write(learner.parameters, to: BottleneckFile.url(place, in: target))
      }
    }
  }

  static func write(
    _ session: Session, experience: Int?, to target: URL, leavingOut bottlenecks: AdapterSet? = nil,
    shardSize: ShardSize = .standard
  ) throws {
    let learner = session.trainer.learner
    let original = try ModelDirectory(session.modelDirectory, needsWeights: !session.recipe.model.startsFresh)
    let elsewhere = session.tokenizerDirectory == session.modelDirectory ? nil : session.tokenizerDirectory
    try learner.predicting(experience, methods: session.trainer.methods) {
      try [bottlenecks].compactMap { $0 }.disabled {
        try original.export(
          try learner.parameters.lazyMergedBackbone(), to: target,
          tokenizer: elsewhere.map { .init($0, names: HubContents.tokenizerFiles + TokenizerLoader.ownFiles) },
          shardSize: shardSize)
      }
    }
    if learner.model is any Classifies { try writeHeads(session, experience: experience, to: target) }
  }

  /// The heads of a classifier, and what their rows mean.
  private static func writeHeads(_ session: Session, experience: Int?, to target: URL) throws {
    let learner = session.trainer.learner
    try learner.predicting(experience, methods: session.trainer.methods) {
      let heads = learner.parameters.all.filter { $0.role == .head }
      try SafeTensorsWriter.write(
        Dictionary(uniqueKeysWithValues: heads.map { ($0.name, $0.current) }),
        to: target.appendingPathComponent("heads.safetensors"))
    }
    let description = Description(
      version: Version.current, pooling: session.recipe.model.pooling, taskLabelAtTest: learner.knowsTaskAtTest,
      tasks: learner.stream.experiences.map { .init(name: $0.name, labels: $0.labels, classes: $0.classes) },
      blocks: learner.classifier.heads.blocks.map(\.classes))
    try AtomicFile.write(try JSON.encode(description), to: target.appendingPathComponent("jay.json"))
  }
}

extension ModelIndex.Family {
  /// What peft calls the family.
  fileprivate var task: PEFT.Task {
    switch self {
    case .encoder: .encoder
    case .decoder: .decoder
    case .encoderDecoder: .encoderDecoder
    }
  }
}

extension Session {
  /// The position of the experience whose model is meant; nil where no name is given, and there is one model for all.
  fileprivate func chosen(_ name: String?) throws -> Int? {
    guard let name else {
      let isOnePerTask = recipe.methodNames.contains {
        MethodIndex.named($0)?.card.requires.contains(.taskLabelAtTest) == true
      }
      if isOnePerTask { throw PredictionError.needsTask(trainer.learner.seen.map(\.name)) }
      return nil
    }
    return try trained(name).index
  }

  /// The session of a run folder, in the state of its newest checkpoint.
  /// - Throws: where that checkpoint is damaged, or what the run depends on is not what it was.
  public static func restored(_ folder: URL, places: Places) throws -> Session {
    let directory = RunDirectory(folder)
    guard directory.exists else { throw RunError.notARun(folder) }
    let recipe = try Recipe(file: directory.recipe)
    let session = try Session(recipe, places: places, extra: try Added.experiences(in: directory))
    let (checkpoint, skipped) = try Checkpoint.newest(in: directory.checkpoints)
    // An older one is another model.
    if let error = skipped.first { throw error }
    guard let checkpoint else { throw RunError.noModel(folder, isFinished: directory.isComplete) }
    let change = checkpoint.record.firstChange(session.fingerprints, session.stream)
    // These say how it was trained, not what it is.
    if let change, change != "training settings" {
      throw CheckpointError.changedSince(what: change, checkpoint.url)
    }
    try checkpoint.restore(session.trainer)
    return session
  }
}
