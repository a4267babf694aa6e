import Continual
import Foundation
import Hub
import Models
import Testing
import Torch

@testable import Recipes

@Suite struct ExportRunTests {
  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func theModelGoesIntoShardsWithTheTokenizerThatItReads() throws {
    let run = try TinyRun(), out = run.scratch.url.appendingPathComponent("out")
    try Export.run(run.folder, to: out, task: nil, places: run.places, shardSize: "30KB")
    let files = try names(out)
    #expect(files.contains("model.safetensors.index.json") && files.contains("model-00001-of-00003.safetensors"))
    #expect(files.contains("tokenizer.json") && !files.contains("model.safetensors"))
    let parameters = try Session.restored(run.folder, places: run.places).trainer.learner.parameters
    let tensors = try ModelDirectory(out).tensors()
    for (name, value) in try parameters.mergedBackbone() {
      #expect(tensors[name]?.values() == value.values(), "\(name)")
    }
    #expect(
      run.scratch.sentence {
        try Export.run(run.folder, to: out, task: nil, places: run.places, shardSize: "much")
      }.hasPrefix("'much' is no size of a file."))
  }

  @Test func anotherTokenizerTakesThePlaceOfTheModels() throws {
    let run = try TinyRun(), other = run.scratch.url.appendingPathComponent("other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    let own = try run.places.model("bert-tiny")
    try FileManager.default.copyItem(
      at: own.appendingPathComponent("vocab.txt"), to: other.appendingPathComponent("vocab.txt"))
    try Data("{{ messages }}".utf8).write(to: other.appendingPathComponent("chat_template.jinja"))
    var recipe = try Recipe(file: run.directory.recipe)
    recipe.model.tokenizer = other.path
    let session = try Session(recipe, places: run.places), out = run.scratch.url.appendingPathComponent("out")
    try Export.write(session, experience: nil, to: out)
    let files = try names(out)
    #expect(files.contains("vocab.txt") && files.contains("chat_template.jinja"))
    #expect(!files.contains("tokenizer.json") && !files.contains("tokenizer_config.json"))
  }

  @Test func architecturesThatAreNotSupportedAreNamedWhateverTheObjective() throws {
    let run = try TinyRun(), model = run.scratch.url.appendingPathComponent("model")
    try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
    try Data(#"{"model_type": "gpt2"}"#.utf8).write(to: model.appendingPathComponent("config.json"))
    try SafeTensorsWriter.write([:], to: model.appendingPathComponent("model.safetensors"))
    var recipe = try Recipe(file: run.directory.recipe)
    recipe.model.name = model.path
    for objective in [recipe.training.objective, .causal] {
      recipe.training.objective = objective
      #expect(
        run.scratch.sentence { _ = try Session(recipe, places: run.places) }
          == "model holds a 'gpt2' model. Supported: bert, roberta, xlm-roberta, t5, llama, mistral, qwen2, qwen3.")
    }
  }

  @Test func aMergeForgivesALeftOutHead() throws {
    let scratch = try Scratch(), base = scratch.url.appendingPathComponent("base")
    let original = try ModelDirectory(scratch.places.model("bert-tiny"))
    let plain = original.tensors(), moved = plain.mapValues { $0.dtype.isFloatingPoint ? $0 + 1 : $0 }
    try original.write(plain.merging(["classifier.weight": .ones([2, 32])]) { first, _ in first }, to: base)
    let trained = scratch.url.appendingPathComponent("trained"), out = scratch.url.appendingPathComponent("out")
    try original.write(moved, to: trained)
    try ModelMerge.taskArithmetic(base: base, models: [trained], strength: 1, out: out)
    #expect(try ModelDirectory(out).tensors().keys.sorted() == plain.keys.sorted())
  }
}
