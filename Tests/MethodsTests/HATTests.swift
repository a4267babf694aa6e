import Adapters
import Foundation
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct HATTests {
  private func configuration(width: Int = 6, sparsity: Double = 0.75) -> HAT.Configuration {
    configured(HAT.Configuration.self) { ($0.width, $0.maxScale, $0.sparsity) = (width, 400, sparsity) }
  }

  private func toy(
    _ configuration: HAT.Configuration, settings: @escaping (inout TrainingSettings) -> Void = { _ in }
  ) throws -> (Toy, HAT) {
    var made: HAT?
    let toy = try Toy(
      try Trace.model(), train: (0..<2).map { Toy.examples($0, seed: UInt64($0)) },
      settings: {
        $0.weightDecay = 0
        settings(&$0)
      }
    ) {
      let method = HAT(configuration, learner: $0)
      made = method
      return [method]
    }
    return (toy, try #require(made))
  }

  /// Class scores of an experience as the method predicts them.
  private func logits(_ toy: Toy, _ method: HAT, _ experience: Int) throws -> [Float] {
    let batch = toy.learner.deviceBatch(Batch(toy.learner.data(of: toy.learner.stream.experiences[experience]).train))
    return try method.predicting(experience, learner: toy.learner) {
      try #require(inference { toy.learner.model(batch, .evaluation).classes }).values.values()
    }
  }

  @Test func whatAnExperienceUsesDoesNotMove() throws {
    let (toy, method) = try toy(configuration(), settings: { ($0.epochs, $0.learningRate) = (6, 0.05) })
    var before: [Float] = [], weights: [String: Tensor] = [:], used: [String: [Float]] = [:]
    toy.recorder.onEnd = { trainer in
      guard trainer.progress.experience == 1 else { return }
      before = try self.logits(toy, method, 0)
      weights = toy.parameters.snapshot { $0.role == .adapter }
      used = method.state["used"].mapValues { $0.values() }
    }
    try toy.trainer.run()
    let after = try logits(toy, method, 0)
    // Gates are 0 or 1 nearly everywhere, so that hardly anything of the first experience's predictions moved.
    let all = used.values.flatMap { $0 }
    #expect(all.contains { $0 > 0.999 } && all.contains { $0 < 0.001 })
    let change = zip(before, after).map { abs($0 - $1) }.max() ?? 1
    let plain = try moved()
    #expect(change < 0.05 * plain, "\(change) against \(plain) without gates")
    // A weight between units in full use is the same to the bit, one to a unit that nobody used is not.
    var held = 0, free = 0
    for (name, row) in used where name.hasSuffix("down.weight") {
      let old = try #require(weights[name]).values(), new = try #require(toy.parameters[name]).master.values()
      for (unit, gate) in row.enumerated() {
        let width = old.count / row.count, range = unit * width..<(unit + 1) * width
        if gate == 1 {
          #expect(old[range] == new[range])
          held += 1
        } else if gate < 1e-3, old[range] != new[range] {
          free += 1
        }
      }
    }
    #expect(held > 0 && free > 0)
  }

  /// How far the first experience's class scores move where the same bottlenecks train without gates.
  private func moved() throws -> Float {
    let toy = try Toy(
      try Trace.model(), train: (0..<2).map { Toy.examples($0, seed: UInt64($0)) },
      settings: { ($0.epochs, $0.learningRate, $0.weightDecay) = (6, 0.05, 0) }
    ) { [SequentialAdapter(configured { $0.width = 6 }, learner: $0)] }
    func logits() throws -> [Float] {
      let batch = toy.learner.deviceBatch(Batch(toy.learner.data(of: toy.learner.stream.experiences[0]).train))
      return try #require(inference { toy.learner.model(batch, .evaluation).classes }).values.values()
    }
    var before: [Float] = []
    toy.recorder.onEnd = { if $0.progress.experience == 1 { before = try logits() } }
    try toy.trainer.run()
    return zip(before, try logits()).map { abs($0 - $1) }.max() ?? 0
  }

  /// The method before the second experience's first update, with these largest gates of units.
  private func prepared(_ hidden: [Float]) throws -> (Toy, HAT, [Bottleneck], Step) {
    let (toy, method) = try toy(configuration(width: hidden.count))
    let learner = toy.learner, second = learner.stream.experiences[1]
    for experience in learner.stream.experiences {
      learner.begin(experience)
      try method.prepare(experience, learner: learner)
    }
    learner.apply(method.plan(TrainingPlan(examples: [], epochs: 1), for: second, learner: learner))
    let bottlenecks = AdapterSet(bottlenecksOf: learner.parameters).bottlenecks
    var random = Generator(seed: 1)
    for bottleneck in bottlenecks {
      bottleneck.up.assign(.normal(bottleneck.up.shape, deviation: 0.5, &random))
      let outputs = (0..<bottleneck.up.shape[0]).map { Float($0 % 3) / 2 }
      method.state["used"][bottleneck.down.name] = Tensor(hidden)
      method.state["used"][bottleneck.up.name] = Tensor(outputs)
    }
    return (toy, method, bottlenecks, Step(index: 1, total: 5, experience: second, learner: learner))
  }

  @Test func gradientsAreAsTheEquationsSay() throws {
    let hidden: [Float] = [0, 1, 0.25, 0.75]
    let (toy, method, bottlenecks, step) = try prepared(hidden)
    _ = method.compose(Batch([]), at: step)
    let scale = 1 / 400.0 + (400 - 1 / 400.0) / 4
    #expect(abs(HAT.scale(at: step, of: 400) - scale) < 1e-9)
    let batch = toy.learner.announced(Batch(toy.learner.data(of: step.experience).train))
    let loss = toy.learner.model(batch, .evaluation).loss
    (loss + (try #require(method.penalty(ModelOutput(loss: loss), batch, at: step)))).backward()
    let embeddings = try #require(method.embeddings.last)
    let parameters = bottlenecks.flatMap(\.parameters) + embeddings.flatMap { [$0.hidden, $0.output] }
    let before = try parameters.map { try #require($0.gradient).clone().values() }
    method.willUpdate(toy.parameters.trainable, at: step)
    let after = try parameters.map { try #require($0.gradient).values() }
    func near(_ x: Float, _ y: Double) -> Bool { abs(Double(x) - y) <= 1e-5 * max(1, abs(y)) }
    for place in bottlenecks.indices {
      let outputs = bottlenecks[place].up.shape[0], inputs = outputs, width = hidden.count
      let (old, new) = (Array(before[place * 4..<place * 4 + 4]), Array(after[place * 4..<place * 4 + 4]))
      for unit in 0..<width {
        for input in 0..<inputs {
          let index = unit * inputs + input
          #expect(near(new[0][index], Double(old[0][index]) * Double(1 - hidden[unit])))
        }
        #expect(near(new[1][unit], Double(old[1][unit]) * Double(1 - hidden[unit])))
      }
      for output in 0..<outputs {
        let used = Float(output % 3) / 2
        for unit in 0..<width {
          let index = output * width + unit
          #expect(near(new[2][index], Double(old[2][index]) * Double(1 - min(used, hidden[unit]))))
        }
        #expect(near(new[3][output], Double(old[3][output]) * Double(1 - used)))
      }
    }
    var moved = 0
    for (index, embedding) in parameters.enumerated().dropFirst(bottlenecks.count * 4) {
      for (unit, value) in embedding.master.values().map(Double.init).enumerated() {
        let steepness = (cosh(min(50, max(-50, scale * value))) + 1) / (cosh(value) + 1)
        let expected = Double(before[index][unit]) * steepness * 400 / scale
        #expect(near(after[index][unit], expected), "\(after[index][unit]) \(expected)")
        if expected != 0 { moved += 1 }
      }
    }
    #expect(moved > 0)
  }

  @Test func fewNewUnitsAreAskedFor() throws {
    let hidden: [Float] = [0, 1, 0.25, 0.75]
    let (toy, method, bottlenecks, step) = try prepared(hidden)
    _ = method.compose(Batch([]), at: step)
    let scale = HAT.scale(at: step, of: 400)
    var used = 0.0, free = 0.0
    for (bottleneck, own) in zip(bottlenecks, try #require(method.embeddings.last)) {
      let outputs = (0..<bottleneck.up.shape[0]).map { Float($0 % 3) / 2 }
      for (embedding, before) in [(own.hidden, hidden), (own.output, outputs)] {
        for (value, past) in zip(embedding.master.values(), before) {
          used += (1 - Double(past)) / (1 + exp(-scale * Double(value)))
          free += 1 - Double(past)
        }
      }
    }
    let batch = toy.learner.deviceBatch(Batch(toy.learner.data(of: step.experience).train))
    let output = toy.learner.model(batch, .evaluation)
    let penalty = try #require(method.penalty(output, batch, at: step)).item()
    #expect(abs(penalty - 0.75 * used / free) < 1e-5, "\(penalty) \(0.75 * used / free)")
    let (none, without, _, first) = try prepared(hidden)
    _ = none
    #expect(HAT(configuration(sparsity: 0), learner: toy.learner).penalty(output, batch, at: first) == nil)
    #expect(without.state["used"].count == 2 * bottlenecks.count)
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingChanges { HAT(self.configuration(), learner: $0) } == [])
  }
}
