import Continual
import Foundation
import NN
import Testing
import Torch

@testable import Recipes

/// What a run loaded and trained goes when the run is over.
@Suite struct FreedRunTests {
  private struct Weak { weak var parameter: Parameter? }

  /// The parameters of a session that trained, and is gone.
  private func train(_ recipe: Recipe, _ run: TinyRun) throws -> [Weak] {
    let session = try Session(recipe, places: run.places)
    try session.trainer.run()
    return session.trainer.learner.parameters.all.map { Weak(parameter: $0) }
  }

  @Test(arguments: MethodIndex.all.map { $0.card.name }) func noMethodHoldsItsModelInACycle(_ method: String) throws {
    let run = try TinyRun(), needs = try #require(MethodIndex.named(method)).card.requires
    var overrides = ["methods=[\(method)]", "training.maxUpdates=1", "training.precision=fp32"]
    overrides.append("model.name=\(try run.scratch.droppingModel())")
    if needs.contains(.encoderDecoder) {
      overrides[0] = "methods=[{\(method): {length: 2, attempts: 2}}]"
      overrides += [
        "model.name=\(try TinyTextModel.encoderDecoder.write(to: run.scratch))", "model.startsFresh=true",
      ]
    }
    let parameters = try train(try Recipe(file: run.directory.recipe, overrides: overrides), run)
    #expect(!parameters.isEmpty)
    #expect(parameters.allSatisfy { $0.parameter == nil }, "\(parameters.compactMap { $0.parameter?.name })")
  }

  /// In a process of its own, because handles belong to the whole process.
  @Test func aRunThatKeepsModelsLeavesNothing() async {
    await #expect(processExitsWith: .success) {
      let run = try TinyRun()
      let recipe = try Recipe(
        file: run.directory.recipe, overrides: ["training.keepModels=true", "training.maxUpdates=2"])
      func handlesAfter(_ name: String) throws -> Int {
        try run.runner.run(recipe, in: run.scratch.url.appendingPathComponent(name), start: .new)
        return Runtime.liveHandles
      }
      let first = try handlesAfter("first"), second = try handlesAfter("second")
      precondition(first == second, "\(first) handles, then \(second)")
    }
  }
}
