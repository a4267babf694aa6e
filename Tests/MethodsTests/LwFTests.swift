import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual

@Suite struct LwFTests {
  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [LwF(.init(), learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "lwf") == [])
  }

  @Test func theDivergenceIsTheReferences() throws {
    let golden = try Golden.load("methods/lwf.safetensors")
    let old = try #require(golden["example.old"]), new = try #require(golden["example.new"])
    let expected = try #require(golden["example.divergence"])
    #expect(difference(LwF.divergence(old: old, new: new, temperature: 2), expected, atol: 1e-6) == nil)
    #expect(abs(LwF.divergence(old: new, new: old, temperature: 2).item() - expected.item()) > 1e-3)
  }

  @Test func strengthZeroIsFineTuningToTheBit() throws {
    let plain = try ToyRun { [FineTune(.init(), learner: $0)] }
    let distilled = try ToyRun { learner in
      var configuration = LwF.Configuration()
      configuration.strength = 0
      return [LwF(configuration, learner: learner)]
    }
    try plain.trainer.run()
    try distilled.trainer.run()
    #expect(unequal(distilled.learner.parameters.snapshot(), plain.learner.parameters.snapshot()) == [])
  }

  /// The distillation of the second experience's examples against a teacher that `change` set apart from the student.
  private func penalty(
    knowsTask: Bool, _ configure: (inout LwF.Configuration) -> Void = { _ in }, change: (Parameter) -> Void
  ) throws -> (run: ToyRun, old: Tensor, value: Double)? {
    var configuration = LwF.Configuration()
    configure(&configuration)
    let run = try ToyRun(knowsTask: knowsTask) { [LwF(configuration, learner: $0)] }
    let learner = run.learner, second = learner.stream.experiences[1], method = run.trainer.methods[0]
    learner.begin(second)
    let plan = try method.plan(TrainingPlan(examples: [], epochs: 1), for: second, learner: learner)
    learner.apply(plan)
    try method.willBegin(second, learner: learner)
    let batch = learner.deviceBatch(Batch(learner.data(of: second).train))
    let old = withoutGradient {
      learner.classifier.heads.logits(of: [0, 1, 2], features: learner.classifier.features(batch, .evaluation))
    }
    for parameter in learner.parameters.all where parameter.role == .head { change(parameter) }
    let output = learner.model(batch, .evaluation)
    guard let penalty = try method.penalty(output, batch, at: run.step(experience: 1)) else { return nil }
    return (run, old, penalty.item())
  }

  @Test(arguments: [true, false])
  func aStudentLikeItsTeacherPaysNothing(_ knowsTask: Bool) throws {
    let result = try #require(try penalty(knowsTask: knowsTask) { _ in })
    #expect(abs(result.value) < 1e-7)
  }

  @Test(arguments: [true, false])
  func onlyOldClassesAreCompared(_ knowsTask: Bool) throws {
    let newHead = try #require(
      try penalty(knowsTask: knowsTask) { head in
        if head.name.hasPrefix("heads.1") { head.assign(head.master * 3 + 1) }
      })
    #expect(abs(newHead.value) < 1e-7)
    let oldHead = try #require(
      try penalty(knowsTask: knowsTask) { head in
        if head.name == "heads.0.bias" { head.assign(Tensor([Float(1), 0, -1])) }
      })
    let learner = oldHead.run.learner
    let batch = learner.deviceBatch(Batch(learner.data(of: learner.stream.experiences[1]).train))
    let new = withoutGradient {
      learner.classifier.heads.logits(of: [0, 1, 2], features: learner.classifier.features(batch, .evaluation))
    }
    let expected = LwF.divergence(old: oldHead.old, new: new, temperature: 2).item()
    #expect(expected > 1e-3)
    #expect(abs(oldHead.value - expected) < 1e-6)
  }

  @Test func theTemperatureFactorIsAnOption() throws {
    func value(_ scales: Bool) throws -> Double {
      let result = try penalty(knowsTask: true, { $0.scalesByTemperature = scales }) { head in
        if head.name == "heads.0.bias" { head.assign(Tensor([Float(1), 0, -1])) }
      }
      return try #require(result).value
    }
    #expect(abs(try value(true) - 4 * value(false)) < 1e-6)
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingChanges { LwF(.init(), learner: $0) } == [])
  }

  @Test func logitsOfAnyClassesComeInTheOrderAsked() throws {
    let run = try ToyRun { _ in [] }
    let features = Tensor.ones([2, 32])
    let heads = run.learner.classifier.heads
    let all = withoutGradient { heads.logits(of: Array(0..<6), features: features) }
    let some = withoutGradient { heads.logits(of: [4, 0, 5], features: features) }
    for (place, column) in [4, 0, 5].enumerated() {
      #expect(some.at(1, place).values() == all.at(1, column).values())
    }
  }
}
