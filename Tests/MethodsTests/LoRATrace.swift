import Evaluation
import NN
import Streams
import Testing
import Torch

@testable import Continual
@testable import TestSupport

/// The toy run with the settings of the goldens, five updates an experience, started from a golden's `start.` values.
struct LoRATrace {
  let run: ToyRun
  let golden: [String: Tensor]

  init(_ name: String, method: (Learner) throws -> any ContinualMethod) throws {
    let golden = try Golden.load("methods/\(name).safetensors"), inputs = try Golden.load("methods/inputs.safetensors")
    self.golden = golden
    run = try ToyRun(settings: { ($0.epochs, $0.maxUpdates) = (2, 5) }) { learner in
      let start = Start(learner)
      start.values = inputs.filter { $0.key.contains(".lora.") }
      for (key, value) in golden where key.hasPrefix("start.") {
        start.values[String(key.dropFirst("start.".count))] = value
      }
      return [start, try method(learner)]
    }
  }

  /// What the golden and the run disagree on: losses and every `final.` tensor; empty when they agree.
  func disagreements(atol: Double = 1e-5) throws -> [String] {
    try run.trainer.run()
    guard let losses = golden["losses"] else { throw GoldenError.missing("losses") }
    var found: [String] = []
    if let gap = difference(Tensor(run.recorder.losses), losses, atol: atol) { found.append("losses \(gap)") }
    for (key, value) in golden where key.hasPrefix("final.") {
      let name = String(key.dropFirst("final.".count))
      guard let parameter = run.learner.parameters[name] else { throw GoldenError.missing(name) }
      if let gap = difference(parameter.master, value, atol: atol) { found.append("\(name) \(gap)") }
    }
    return found.sorted()
  }

  /// Gives every adapter its given start, once, as soon as it is there.
  private final class Start: ContinualMethod {
    static let card = MethodCard(
      name: "start", summary: "adapters start from given values", family: .reference, paper: Citation("none"))
    var state = MethodState()
    var values: [String: Tensor] = [:]

    convenience init(_ learner: Learner) { self.init(NoConfiguration(), learner: learner) }
    init(_ configuration: NoConfiguration, learner: Learner) {}

    func willBegin(_ experience: Experience, learner: Learner) {
      for (name, value) in values {
        guard let parameter = learner.parameters[name] else { continue }
        parameter.assign(value)
        values[name] = nil
      }
    }
  }
}

/// Trains three toy tasks in one go and, from a copy of its state within the third, with fresh objects. Returns what
/// differs at the end; empty where resuming gives the same bits.
func resumingDifferences(_ methods: @escaping (Learner) throws -> [any ContinualMethod]) throws -> [String] {
  func toy() throws -> Toy {
    let data = (0..<3).map { Toy.examples($0, count: 12, seed: UInt64($0)) }
    return try Toy(try Trace.model(), train: data, settings: { $0.shuffle = true }, methods: methods)
  }
  let whole = try toy(), resumed = try toy()
  whole.recorder.onUpdate = { trainer, optimizer in
    guard trainer.progress.experience == 2, trainer.progress.step == 2 else { return }
    for experience in resumed.learner.stream.experiences {
      resumed.learner.begin(experience)
      for method in resumed.trainer.methods { try method.prepare(experience, learner: resumed.learner) }
    }
    resumed.parameters.restore(trainer.learner.parameters.snapshot())
    resumed.learner.touch(trainer.learner.touched)
    for (copy, original) in zip(resumed.trainer.methods, trainer.methods) {
      var state = original.state
      state.tensors = state.tensors.mapValues { $0.mapValues { $0.clone() } }
      copy.state = state
    }
    resumed.trainer.progress = trainer.progress
    resumed.trainer.progress.optimizerState = optimizer.state.mapValues { $0.clone() }
  }
  try whole.trainer.run()
  try resumed.trainer.run()
  var found = unequal(resumed.parameters.snapshot(), whole.parameters.snapshot())
  let rest = resumed.recorder.losses
  if rest.count != 4 || Array(whole.recorder.losses.suffix(4)) != rest { found.append("losses") }
  for (x, y) in zip(whole.trainer.methods, resumed.trainer.methods) {
    for group in Set(x.state.tensors.keys).union(y.state.tensors.keys) {
      found += unequal(x.state[group], y.state[group])
    }
    if x.state.numbers != y.state.numbers { found.append("numbers") }
    if x.state.exemplars != y.state.exemplars { found.append("exemplars") }
  }
  return found
}
