import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual

@Suite struct EWCTests {
  static let methods: [String: @Sendable (Learner, Double) throws -> any ContinualMethod] = [
    "l2": { learner, strength in
      var configuration = L2.Configuration()
      configuration.strength = strength
      return L2(configuration, learner: learner)
    },
    "ewc": { learner, strength in
      var configuration = EWC.Configuration()
      configuration.strength = strength
      return try EWC(configuration, learner: learner)
    },
    "online-ewc": { learner, strength in
      var configuration = OnlineEWC.Configuration()
      configuration.strength = strength
      return try OnlineEWC(configuration, learner: learner)
    },
  ]
  private func method(_ name: String, _ learner: Learner, _ strength: Double) throws -> any ContinualMethod {
    let make = try #require(Self.methods[name])
    return try make(learner, strength)
  }

  @Test(arguments: [("l2", 1.0), ("ewc", 100.0), ("online-ewc", 100.0)])
  func trainsAsTheReferenceDoes(_ name: String, _ strength: Double) throws {
    let trace = try Trace { [try method(name, $0, strength)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: name) == [])
  }

  @Test func theFisherInformationIsTheReferences() throws {
    let trace = try Trace { [try method("ewc", $0, 100)] }
    var importance: [String: Tensor] = [:]
    trace.recorder.onBegin = { if $0 == 1 { importance = trace.trainer.methods.last?.state["importance"] ?? [:] } }
    try trace.trainer.run()
    try expectFisher(importance, of: "ewc")
  }

  @Test func theOnlineFisherInformationDecaysAndAddsUp() throws {
    let trace = try Trace { [try method("online-ewc", $0, 100)] }
    try trace.trainer.run()
    try expectFisher(try #require(trace.trainer.methods.last).state["importance"], of: "online-ewc")
  }

  private func expectFisher(_ importance: [String: Tensor], of file: String) throws {
    let golden = try Golden.load("methods/\(file).safetensors").filter { $0.key.hasPrefix("fisher.") }
    #expect(!golden.isEmpty)
    for (key, expected) in golden {
      let actual = try #require(importance[String(key.dropFirst("fisher.".count))])
      #expect(difference(actual, expected, atol: 1e-7, rtol: 1e-3) == nil, "\(key)")
    }
  }

  @Test(arguments: ["l2", "ewc", "online-ewc"])
  func strengthZeroIsFineTuningToTheBit(_ name: String) throws {
    let plain = try ToyRun { [FineTune(.init(), learner: $0)] }
    let held = try ToyRun { [try method(name, $0, 0)] }
    try plain.trainer.run()
    try held.trainer.run()
    #expect(plain.recorder.losses == held.recorder.losses)
    #expect(unequal(held.learner.parameters.snapshot(), plain.learner.parameters.snapshot()) == [])
  }

  @Test(arguments: ["l2", "ewc", "online-ewc"])
  func atTheAnchorNothingPulls(_ name: String) throws {
    let run = try ToyRun(order: [0]) { [try method(name, $0, 100)] }
    try run.trainer.run()
    let penalty = try #require(try penaltyAfterwards(run))
    #expect(penalty.item() == 0)
    let backbone = run.learner.parameters.all.filter { $0.role == .backbone }
    let gradients = penalty.gradients(of: backbone.map(\.value))
    #expect(gradients.allSatisfy { $0?.values().allSatisfy { $0 == 0 } == true })
  }

  @Test(arguments: ["l2", "ewc", "online-ewc"])
  func headsAndFrozenWeightsAreFree(_ name: String) throws {
    let run = try ToyRun(order: [0]) { [try method(name, $0, 100)] }
    try run.trainer.run()
    let heads = run.learner.parameters.all.filter { $0.role == .head }
    #expect(heads.allSatisfy { run.trainer.methods[0].state["anchor"][$0.name] == nil })
    for parameter in run.learner.parameters.all { parameter.isTrainable = false }
    #expect(try penaltyAfterwards(run) == nil)
  }

  /// The penalty that a further experience would begin with.
  private func penaltyAfterwards(_ run: ToyRun) throws -> Tensor? {
    let method = run.trainer.methods[0], experience = run.learner.stream.experiences[0]
    let batch = run.learner.deviceBatch(Batch(run.learner.data(of: experience).train))
    _ = try method.plan(TrainingPlan(examples: [], epochs: 1), for: experience, learner: run.learner)
    let output = withoutGradient { run.learner.model(batch, .evaluation) }
    return try method.penalty(output, batch, at: run.step(experience: 0))
  }

  @Test(arguments: ["l2", "ewc", "online-ewc"])
  func resumesToTheSameBits(_ name: String) throws {
    #expect(try resumingChanges { try method(name, $0, 100) } == [])
  }
}
