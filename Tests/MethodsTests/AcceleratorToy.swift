import Evaluation
import Foundation
import HostAccelerator
import Methods
import Models
import NN
import Streams
import TestSupport
import Torch

@testable import Continual

/// Small models that train two experiences on the device of tests, or on the CPU.
enum AcceleratorToy {
  /// What three updates leave, and how often something was read between the first one and the last.
  struct End {
    var weights: [String: [Float]] = [:]
    var waits: Int64 = 0
    var replays = 0
  }

  /// Ends the run after some updates of an experience, and reads nothing of them.
  private final class Some: TrainingObserver {
    let updates: Int, experience: Int
    var before: Int64 = 0
    init(_ updates: Int, of experience: Int) { (self.updates, self.experience) = (updates, experience) }
    func willTrain(_ experience: Experience, updates: Int, from step: Int) { before = host_accelerator_waits() }
    func didCompute(_ report: StepReport) {}
    func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws {
      if trainer.progress.experience == experience, trainer.progress.step == updates {
        throw TrainingError.interrupted(resume: "")
      }
    }
    func willEvaluate(_ experience: Experience) {}
    func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {}
    func didEnd(_ trainer: Trainer) throws {}
    func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
  }

  static func model(_ golden: String, _ device: Device, _ dtype: DType) throws -> any TaskModel {
    let url = Golden.url(golden)
    switch golden.prefix(2) {
    case "be": return try ModelIndex.encoder(url, pooling: .mean, dropout: 0, dtype: dtype, device: device, seed: 0)
    case "ro":
      let loaded = try ModelIndex.loadMasked(url, dtype: dtype, device: device, seed: 0)
      return MaskedPredictor(loaded.model, parameters: loaded.parameters)
    case "ll":
      let loaded = try ModelIndex.loadCausal(url, dtype: dtype, device: device, seed: 0)
      return CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [2])
    default:
      let loaded = try ModelIndex.loadSequenceToSequence(url, dtype: dtype, device: device, seed: 0)
      return Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
    }
  }

  static func trainer(
    _ golden: String, on device: Device, dtype: DType = .float32, objective: (any Objective)? = nil,
    length: @escaping (Int) -> Int = { 3 + $0 % 5 }, _ change: (inout TrainingSettings) -> Void = { _ in },
    observer: any TrainingObserver = SilentObserver(), methods: (Learner) throws -> [any ContinualMethod]
  ) throws -> Trainer {
    let data = Dataset(name: "toy", labels: ["a", "b"], examples: [])
    let experiences = ["one", "two"].map { Experience(name: $0, train: data, test: data) }
    let stream = TaskStream(name: "toy", experiences: experiences)
    let learner = Learner(
      model: try model(golden, device, dtype), stream: stream, device: device, seed: 0, objective: objective,
      decode: { "\($0)" },
      encode: { [Int32(4 + $0.count % 9)] }
    ) { experience in
      let examples = (0..<32).map { (row: Int) -> TokenizedExample in
        let length = length(row)
        let tokens = (row..<row + length).map { Int32(4 + $0 % 9) }
        var example = TokenizedExample(
          id: "\(row)", tokens: tokens, firstLength: length, target: row % 2 + 2 * experience.index, answer: [5, 1],
          experience: experience.index)
        if objective != nil { example.documents = [2, Int32(length - 2)] }
        return example
      }
      return TokenizedExperience(
        train: examples, validation: Array(examples.prefix(4)), test: Array(examples.prefix(6)),
        options: [[5, 1], [6, 1]])
    }
    var settings = TrainingSettings()
    (settings.batchSize, settings.logEvery, settings.learningRate) = (4, 1000, 1e-3)
    (settings.precision, settings.epsilon) = (.fp32, 1e-5)
    change(&settings)
    var evaluation = EvaluationSettings()
    evaluation.future = false
    return Trainer(
      learner: learner, methods: try methods(learner), settings: settings, evaluation: evaluation, observer: observer)
  }

  static func train(
    _ golden: String, on device: Device, dtype: DType = .float32, updates: Int = 3, of experience: Int = 0,
    recorded: Int = 256, objective: (any Objective)? = nil,
    length: @escaping (Int) -> Int = { 3 + $0 % 5 }, _ change: (inout TrainingSettings) -> Void,
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws -> End {
    let observer = Some(updates, of: experience)
    let trainer = try trainer(
      golden, on: device, dtype: dtype, objective: objective, length: length, change, observer: observer,
      methods: methods)
    trainer.mostRecorded = recorded
    do { try trainer.run() } catch TrainingError.interrupted {}
    var end = End()
    end.waits = host_accelerator_waits() - observer.before
    end.weights = trainer.learner.parameters.snapshot().mapValues { $0.values() }
    precondition(trainer.progress.step == updates)
    end.replays = trainer.recorded?.replays ?? 0
    return end
  }

  static func migu(_ learner: Learner, _ change: (inout MIGU.Configuration) -> Void = { _ in }) -> MIGU {
    var configuration = MIGU.Configuration()
    configuration.fromFirst = true
    change(&configuration)
    return MIGU(configuration, learner: learner)
  }

  static func make<M: ContinualMethod>(_ type: M.Type, _ learner: Learner) throws -> any ContinualMethod {
    try M(.init(), learner: learner)
  }
}
