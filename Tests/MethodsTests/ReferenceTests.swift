import Evaluation
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual

@Suite struct ReferenceTests {
  private func joint(_ schedule: Joint.Schedule, order: [Int] = [0, 1]) throws -> ToyRun {
    var configuration = Joint.Configuration()
    configuration.schedule = schedule
    let run = try ToyRun(order: order) { [Joint(configuration, learner: $0)] }
    try run.trainer.run()
    return run
  }

  @Test(arguments: Joint.Schedule.allCases)
  func jointOnOneTaskIsFineTuning(_ schedule: Joint.Schedule) throws {
    let plain = try ToyRun(order: [0]) { [FineTune(.init(), learner: $0)] }
    try plain.trainer.run()
    let joint = try joint(schedule, order: [0])
    #expect(joint.recorder.losses == plain.recorder.losses)
    #expect(unequal(joint.learner.parameters.snapshot(), plain.learner.parameters.snapshot()) == [])
  }

  @Test func jointTrainsOnTheUnionFromThePretrainedWeights() throws {
    let last = try joint(.last), each = try joint(.each)
    let matrix = last.trainer.progress.matrix
    #expect(matrix.rows[0].allSatisfy { $0 == nil }, "before its only training there is nothing to measure")
    #expect(matrix.rows[1] == each.trainer.progress.matrix.rows[1])
    #expect(Metric.values(of: matrix).keys.sorted() == ["acc", "worst-task"])
    #expect(last.recorder.losses.count == 8)
    #expect(each.recorder.losses.count == 4 + 8)
    #expect(Array(each.recorder.losses.suffix(8)) == last.recorder.losses)
    #expect(unequal(each.learner.parameters.snapshot(), last.learner.parameters.snapshot()) == [])
  }

  private func perTask(_ order: [Int]) throws -> ToyRun {
    let run = try ToyRun(order: order) { [PerTask(.init(), learner: $0)] }
    try run.trainer.run()
    return run
  }

  @Test func perTaskModelsDoNotDependOnTheOrder() throws {
    let forward = try perTask([0, 1]).trainer.methods[0].state
    let backward = try perTask([1, 0]).trainer.methods[0].state
    func model(_ state: MethodState, _ position: Int) -> [String: Tensor] {
      let own = state["task.\(position)"].filter { name, _ in
        !name.hasPrefix("heads.") || name.hasPrefix("heads.\(position).")
      }
      return Dictionary(uniqueKeysWithValues: own.map { ($0.key.replacingHead(position), $0.value) })
    }
    #expect(!model(forward, 0).isEmpty)
    #expect(unequal(model(forward, 0), model(backward, 1)) == [])
    #expect(unequal(model(forward, 1), model(backward, 0)) == [])
  }

  @Test func perTaskPredictionsStayAfterLaterTasks() throws {
    let alone = try ToyRun(order: [0]) { [FineTune(.init(), learner: $0)] }
    try alone.trainer.run()
    let run = try ToyRun { [PerTask(.init(), learner: $0)] }
    let untrained = run.logits(1).values()
    func logits(_ experience: Int) throws -> [Float] {
      try run.trainer.methods[0].predicting(experience, learner: run.learner) { run.logits(experience).values() }
    }
    var early: [Float] = [], unseen: [Float] = []
    run.recorder.onUpdate = { trainer, _ in
      guard trainer.progress.experience == 1, trainer.progress.step == 2 else { return }
      early = try logits(0)
      unseen = try logits(1)
    }
    try run.trainer.run()
    #expect(early == alone.logits(0).values())
    #expect(unseen == untrained)
    #expect(try logits(0) == early)
    #expect(try logits(1) != untrained)
  }

  @Test(arguments: ["lora", "inc-lora"]) func perTaskPredictionsDoNotSeeOtherTasksAdapters(_ name: String) throws {
    let run = try ToyRun {
      let adapter: any ContinualMethod =
        name == "lora" ? SequentialLoRA(.init(), learner: $0) : IncLoRA(.init(), learner: $0)
      return [PerTask(.init(), learner: $0), adapter]
    }
    let untrained = run.logits(1).values()
    func logits(_ experience: Int) throws -> [Float] {
      try run.trainer.methods[0].predicting(experience, learner: run.learner) { run.logits(experience).values() }
    }
    var early: [Float] = []
    run.recorder.onEnd = { trainer in
      guard trainer.progress.experience == 1 else { return }
      early = try logits(0)
      #expect(try logits(1) == untrained)
    }
    try run.trainer.run()
    #expect(try logits(0) == early)
    #expect(try logits(1) != untrained)
  }

  @Test(arguments: methodTypes.map { $0.card.name })
  func theCardSaysWhichMethodsFreezeTheModel(_ name: String) throws {
    func freezes<Method: ContinualMethod>(_ type: Method.Type) throws -> Bool {
      let needsHeads = type.card.requires.contains(.heads) || name == "das"
      let model: any TaskModel = needsHeads ? try Trace.model() : try PromptToy.model("t5-tied")
      let learner = try Toy(model, train: [PromptToy.examples(0)]) { _ in [] }.learner
      let experience = learner.stream.experiences[0]
      let method = try Method(.init(), learner: learner)
      learner.begin(experience)
      try method.prepare(experience, learner: learner)
      let plan = try method.plan(TrainingPlan(examples: [], epochs: 1), for: experience, learner: learner)
      return !learner.parameters.all.contains { $0.role == .backbone && plan.isTrained($0) }
    }
    let type = try #require(methodTypes.first { $0.card.name == name })
    #expect(try freezes(type) == type.card.freezesModel)
  }

  @Test func theProbeTrainsOnlyHeads() throws {
    let run = try ToyRun { [Probe(.init(), learner: $0)] }
    let before = run.learner.parameters.snapshot()
    try run.trainer.run()
    let heads = ["heads.0.bias", "heads.0.weight", "heads.1.bias", "heads.1.weight"]
    #expect(unequal(run.learner.parameters.snapshot(), before) == heads)
  }

  @Test func referencesResumeToTheSameBits() throws {
    var configuration = Joint.Configuration()
    configuration.schedule = .each
    #expect(try resumingChanges { Joint(configuration, learner: $0) } == [])
    #expect(try resumingChanges { PerTask(.init(), learner: $0) } == [])
    #expect(try resumingChanges { Probe(.init(), learner: $0) } == [])
  }
}

extension String {
  /// `heads.1.bias` as `heads.bias`.
  fileprivate func replacingHead(_ position: Int) -> String {
    hasPrefix("heads.\(position).") ? "heads." + dropFirst("heads.\(position).".count) : self
  }
}
