import Foundation
import NN
import Streams
import Torch

@testable import Continual
@testable import TestSupport

/// The toy experiences of the goldens in any order, as a task- or class-incremental stream, tested on what they train.
struct ToyRun {
  let trainer: Trainer
  let recorder = Recorder()
  var learner: Learner { trainer.learner }

  init(
    order: [Int] = [0, 1], knowsTask: Bool = true, seed: UInt64 = 0, device: Device = .cpu,
    processes: Processes? = nil,
    settings change: (inout TrainingSettings) -> Void = { _ in },
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws {
    let inputs = try Golden.load("methods/inputs.safetensors")
    let stream = TaskStream(
      name: "toy", declaration: StreamDeclaration(hasTaskLabelAtTest: knowsTask),
      experiences: order.map { index in
        let data = Dataset(name: "\(index)", labels: ["0", "1", "2"], examples: [])
        return Experience(name: "\(index)", train: data, test: data)
      })
    let learner = Learner(
      model: try Trace.model(device: device), stream: stream, device: device, seed: seed, processes: processes
    ) { experience in
      let source = order[experience.index]
      let examples = Trace.examples(source, inputs).map { example in
        TokenizedExample(
          id: example.id, tokens: example.tokens, firstLength: example.firstLength,
          target: experience.index * 3 + example.target - source * 3, experience: experience.index)
      }
      return TokenizedExperience(train: examples, validation: [], test: examples)
    }
    for (position, source) in order.enumerated() {
      for part in ["weight", "bias"] {
        let name = "heads.\(source).\(part)"
        guard let value = inputs[name] else { throw GoldenError.missing(name) }
        learner.parameters["heads.\(position).\(part)"]?.assign(value)
      }
    }
    var settings = TrainingSettings()
    (settings.epochs, settings.shuffle, settings.batchSize) = (1, false, 4)
    (settings.learningRate, settings.epsilon, settings.precision) = (1e-3, 1e-5, .fp32)
    change(&settings)
    trainer = Trainer(
      learner: learner, methods: try methods(learner), settings: settings, evaluation: EvaluationSettings(),
      observer: recorder)
  }

  /// Logits of an experience's training examples, without a graph.
  func logits(_ experience: Int) -> Tensor {
    let examples = learner.data(of: learner.stream.experiences[experience]).train
    let batch = learner.deviceBatch(Batch(examples)), model = learner.classifier
    return withoutGradient { model.heads(model.features(batch, .evaluation), batch, .evaluation).scores.values }
  }

  func step(_ index: Int = 0, experience: Int) -> Step {
    Step(index: index, total: 4, experience: learner.stream.experiences[experience], learner: learner)
  }
}

/// Names of tensors that are not bit-equal, or that only one side has.
func unequal(_ actual: [String: Tensor], _ expected: [String: Tensor]) -> [String] {
  Set(actual.keys).union(expected.keys).filter { name in
    guard let a = actual[name], let b = expected[name], a.dtype == b.dtype, a.shape == b.shape else { return true }
    return a.values() != b.values()
  }.sorted()
}

/// Trains the toy run in one go and, from a copy of its state after two updates of the second experience, with fresh
/// objects. Returns what differs at the end; empty where resuming gives the same bits.
func resumingChanges(_ make: @escaping (Learner) throws -> any ContinualMethod) throws -> [String] {
  let whole = try ToyRun { [try make($0)] }
  let fresh = try ToyRun { [try make($0)] }
  whole.recorder.onUpdate = { trainer, optimizer in
    guard trainer.progress.experience == 1, trainer.progress.step == 2 else { return }
    for experience in fresh.learner.stream.experiences {
      fresh.learner.begin(experience)
      try fresh.trainer.methods[0].prepare(experience, learner: fresh.learner)
    }
    fresh.learner.parameters.restore(trainer.learner.parameters.snapshot())
    fresh.learner.touch(trainer.learner.touched)
    var state = trainer.methods[0].state
    state.tensors = state.tensors.mapValues { group in group.mapValues { $0.clone() } }
    fresh.trainer.methods[0].state = state
    fresh.trainer.progress = trainer.progress
    fresh.trainer.progress.optimizerState = optimizer.state.mapValues { $0.clone() }
  }
  try whole.trainer.run()
  try fresh.trainer.run()
  let rest = fresh.recorder.losses
  let (saved, expected) = (fresh.trainer.methods[0].state, whole.trainer.methods[0].state)
  var changes = unequal(fresh.learner.parameters.snapshot(), whole.learner.parameters.snapshot())
  for group in Set(saved.tensors.keys).union(expected.tensors.keys) {
    changes += unequal(saved[group], expected[group])
  }
  if rest.isEmpty || Array(whole.recorder.losses.suffix(rest.count)) != rest { changes.append("losses") }
  if saved.numbers != expected.numbers { changes.append("numbers") }
  if saved.exemplars != expected.exemplars { changes.append("exemplars") }
  return changes
}
