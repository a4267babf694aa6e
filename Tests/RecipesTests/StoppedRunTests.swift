import Continual
import Evaluation
import Foundation
import NN
import Streams
import Testing
import Torch

@testable import Recipes

/// Runs that stop at awkward moments go on as if they had not.
@Suite struct StoppedRunTests {
  /// Breaks the gradient of the first update of an experience.
  private final class Broken: ContinualMethod {
    static let card = MethodCard(name: "broken", summary: "", family: .reference, paper: Citation("none"))
    var state = MethodState()
    var experience = -1
    init(_ configuration: NoConfiguration, learner: Learner) {}
    func willUpdate(_ parameters: [Parameter], at step: Step) {
      guard step.experience.index == experience, step.index == 0 else { return }
      for parameter in parameters { parameter.gradient = parameter.gradient.map { $0 * Double.infinity } }
    }
  }

  private func trainer(
    _ run: TinyRun, breaking experience: Int = -1, observer: any TrainingObserver = SilentObserver()
  ) throws -> Trainer {
    let session = try Session(try Recipe(file: run.directory.recipe), places: run.places)
    let learner = session.trainer.learner, broken = Broken(NoConfiguration(), learner: learner)
    broken.experience = experience
    return Trainer(
      learner: learner, methods: session.trainer.methods + [broken], settings: session.recipe.training,
      evaluation: session.recipe.evaluation, observer: observer)
  }

  private func weights(_ learner: Learner) -> [String: [Float]] {
    learner.parameters.snapshot().mapValues { $0.values() }
  }

  @Test(arguments: ["migu", "inc-lora", "progressive-prompts: {length: 2}"], [0, 1])
  func aFailureAtTheFirstUpdateOfAnExperienceIsGoneOnFrom(_ method: String, _ experience: Int) throws {
    let run = try TinyRun(method: method)
    let directory = RunDirectory(run.scratch.url.appendingPathComponent("stopped"))
    try directory.open()
    let observer = RunObserver(
      directory, settings: TrainingSettings(), progress: ProgressLine(prefix: "", isQuiet: true), resumeCommand: "")
    try observer.open(resuming: nil)
    let failing = try trainer(run, breaking: experience, observer: observer)
    let error = #expect(throws: TrainingError.self) { try failing.run() }
    guard case .nonFiniteGradient(_, 0, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let checkpoint = try Checkpoint.newest(in: directory.checkpoints).checkpoint
    #expect(checkpoint?.url.lastPathComponent == (experience == 0 ? nil : "0001-00000000"))
    let resumed = try trainer(run)
    try checkpoint?.restore(resumed)
    try resumed.run()
    let whole = try Session.restored(run.folder, places: run.places).trainer.learner
    #expect(weights(resumed.learner) == weights(whole))
  }

  @Test func aChangedAdapterIsRefused() throws {
    let run = try TinyRun(method: "lora"), adapter = run.scratch.url.appendingPathComponent("adapter")
    try Export.adapter(run.folder, to: adapter, task: nil, places: run.places)
    let recipe = try Recipe(
      yaml: """
        model: {name: bert-tiny, adapter: "\(adapter.path)"}
        stream: {name: folder, folder: "\(run.scratch.url.path)/stream"}
        training: {maxUpdates: 4, maxTokens: 32}
        """, name: "adapted")
    let folder = run.scratch.url.appendingPathComponent("adapted")
    var stopping = run.runner
    var updates = 0
    stopping.isInterrupted = {
      updates += 1
      return updates == 2
    }
    #expect(throws: TrainingError.self) { try stopping.run(recipe, in: folder, start: .new) }
    let file = adapter.appendingPathComponent("adapter_model.safetensors")
    var data = try Data(contentsOf: file)
    data[data.count - 4] ^= 1
    try data.write(to: file)
    #expect(
      run.scratch.sentence { try run.runner.run(recipe, in: folder, start: .resume) }
        == "the adapter changed since adapted/checkpoints/0000-00000002 was written, so a resumed run would not be the "
        + "same run. Restore the adapter, or start anew with another --out.")
    data[data.count - 4] ^= 1
    try data.write(to: file)
    try run.runner.run(recipe, in: folder, start: .resume)
  }

  @Test func aRunKilledBeforeItsReportKeepsItsNumberOfTrainableParameters() throws {
    let run = try TinyRun()
    func trainable() throws -> Int {
      try JSON.decode(RunDirectory.Summary.self, from: run.directory.summary).trainableParameters
    }
    let before = try trainable()
    try FileManager.default.removeItem(at: run.directory.report)
    try run.runner.run(try Recipe(file: run.directory.recipe), in: run.folder, start: .resume)
    #expect(try before > 0 && trainable() == before)
  }

  /// Training that a method has of its own is stopped too; what it did is done again.
  @Test func anInterruptWhileAMethodTrainsIsHeard() throws {
    let run = try TinyRun()
    let recipe = try Recipe(
      yaml: """
        model: {name: "\(try TinyTextModel.decoder.write(to: run.scratch))", startsFresh: true}
        stream: {name: folder, folder: "\(try Recipe(file: run.directory.recipe).stream.folder)"}
        methods: [{sapt-lora: {rank: 2, pseudo: written, pseudoRatio: 0.2, writer: {updates: 20, batchSize: 4, maxTokens: 8}}}]
        training: {maxUpdates: 6, batchSize: 4, maxTokens: 40, precision: fp32, checkpointSteps: 4}
        """, name: "written")
    func folder(_ name: String) -> URL { run.scratch.url.appendingPathComponent(name) }
    try run.runner.run(recipe, in: folder("whole"), start: .new)
    var stopping = run.runner
    var asked = 0
    stopping.isInterrupted = {
      asked += 1
      return asked == 16
    }
    #expect(
      run.scratch.sentence { try stopping.run(recipe, in: folder("stopped"), start: .new) }.hasPrefix(
        "interrupted; what came after the last checkpoint will be done again. Go on with: jay run --resume --out "))
    #expect(asked == 16)
    let checkpoints = RunDirectory(folder("stopped")).checkpoints
    #expect(try Checkpoint.newest(in: checkpoints).checkpoint?.record.step == 4)
    try run.runner.run(recipe, in: folder("stopped"), start: .resume)
    let learners = try ["whole", "stopped"].map { name in
      try Session.restored(folder(name), places: run.places).trainer.learner
    }
    #expect(weights(learners[0]) == weights(learners[1]))
  }
}
