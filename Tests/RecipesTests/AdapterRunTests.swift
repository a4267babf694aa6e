import Adapters
import Continual
import Foundation
import Models
import NN
import Testing
import Torch

@testable import Recipes

@Suite struct AdapterRunTests {
  private func recipe(adapter: URL) throws -> Recipe {
    try Recipe(yaml: "model: {name: bert-tiny, adapter: \"\(adapter.path)\"}\nstream: meadow\n", name: "adapter")
  }

  /// The adapters of both experiences as one, merged into the base: the run's own merged model.
  @Test(arguments: ["lora", "o-lora"]) func aRunStartsFromAnExportedAdapter(_ method: String) throws {
    let run = try TinyRun(method: method), adapter = run.scratch.url.appendingPathComponent("adapter")
    try Export.adapter(run.folder, to: adapter, task: nil, places: run.places)
    let session = try Session(try recipe(adapter: adapter), places: run.places)
    let trained = try Session.restored(run.folder, places: run.places).trainer.learner.parameters
    let expected = try trained.mergedBackbone()
    let parameters = session.trainer.learner.parameters
    #expect(parameters.all.allSatisfy { $0.role != .adapter })
    for (name, value) in expected {
      let gap = zip(try #require(parameters[name]).master.values(), value.values()).map { abs($0 - $1) }.max() ?? 1
      #expect(gap < 1e-5, "\(name)")
    }
    #expect(session.fingerprints["adapter"] != nil)
  }

  @Test func aTasksPromptsAreWrittenAsOne() throws {
    let run = try TinyRun(method: "progressive-prompts: {length: 3}")
    for (task, count) in [("one", 3), ("two", 6)] {
      let adapter = run.scratch.url.appendingPathComponent(task)
      try Export.adapter(run.folder, to: adapter, task: task, places: run.places)
      let tensors = try SafeTensorsFile(adapter.appendingPathComponent("adapter_model.safetensors")).tensors()
      #expect(tensors.mapValues(\.shape) == ["prompt_embeddings": [count, 32]])
    }
    let adapter = run.scratch.url.appendingPathComponent("one")
    #expect(
      run.scratch.sentence { _ = try Session(try recipe(adapter: adapter), places: run.places) }
        == "the adapter in one is a prompt or a prefix, which is no change of the weights. Name a LoRA or IA³ adapter, or none."
    )
  }

  @Test func aRunWithoutAdaptersHasNoneToWrite() throws {
    let run = try TinyRun(), out = run.scratch.url.appendingPathComponent("adapter")
    #expect(throws: PEFTError.nothingToWrite) {
      try Export.adapter(run.folder, to: out, task: nil, places: run.places)
    }
  }
}
