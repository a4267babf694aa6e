import Adapters
import Continual
import Foundation
import Models
import NN
import Testing
import Torch

@testable import Recipes

/// Runs of the method `adapter`, and what the commands make of them.
@Suite struct AdapterKindTests {
  private func run(_ kind: String) throws -> (run: TinyRun, out: URL) {
    let run = try TinyRun(method: "adapter: {kind: \(kind), length: 3, width: 4}")
    return (run, run.scratch.url.appendingPathComponent("out"))
  }

  private func adapters(_ store: ParameterStore) -> [String: [Float]] {
    store.snapshot { $0.role == .adapter }.mapValues { $0.values() }
  }

  @Test(arguments: [("ia3", "IA3"), ("prefix", "PREFIX_TUNING"), ("prompt", "PROMPT_TUNING")])
  func aRunsAdapterIsWrittenForPEFT(_ kind: String, _ type: String) throws {
    let (run, out) = try run(kind)
    try Export.adapter(run.folder, to: out, task: nil, places: run.places)
    let json = try Data(contentsOf: out.appendingPathComponent("adapter_config.json"))
    #expect((try JSONSerialization.jsonObject(with: json) as? [String: Any])?["peft_type"] as? String == type)
    let fresh = try ModelIndex.encoder(
      run.places.models.appendingPathComponent("bert-tiny"), pooling: .mean, dropout: 0, dtype: .float32, device: .cpu,
      seed: 0)
    _ = try AdapterSet(peft: out, index: 0, in: fresh.parameters)
    let trained = try Session.restored(run.folder, places: run.places).trainer.learner.parameters
    #expect(!adapters(trained).isEmpty && adapters(fresh.parameters) == adapters(trained))
  }

  @Test func onlyScalesGoIntoAPlainModel() throws {
    let (scaled, out) = try run("ia3")
    try Export.run(scaled.folder, to: out, task: nil, places: scaled.places)
    #expect(FileManager.default.fileExists(atPath: out.appendingPathComponent("model.safetensors").path))
    for kind in ["prefix", "prompt"] {
      let (run, out) = try run(kind)
      #expect(throws: ExportError.prompt) { try Export.run(run.folder, to: out, task: nil, places: run.places) }
    }
    let (network, place) = try run("bottleneck")
    #expect(throws: ExportError.self) { try Export.run(network.folder, to: place, task: nil, places: network.places) }
    #expect(throws: PEFTError.noForm(["Bottleneck"])) {
      try Export.adapter(network.folder, to: place, task: nil, places: network.places)
    }
  }

  @Test func layersCannotBeNamedForAPrompt() {
    #expect {
      _ = try Recipe(yaml: "stream: meadow\nmethods: [{adapter: {kind: prompt, targets: [query]}}]\n", name: "a.yaml")
    } throws: {
      "\($0)".hasSuffix(
        "targets was refused: a prompt is attached to no layers that could be named. Leave targets out, or set kind: "
          + "bottleneck or ia3.")
    }
  }
}
