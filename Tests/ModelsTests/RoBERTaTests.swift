import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct RoBERTaTests {
  private func batch(_ golden: [String: Tensor]) throws -> DeviceBatch {
    let tokens = try #require(golden["input_ids"]), rows = tokens.size(0)
    let labels = try #require(golden["labels"])
    let places = labels.scalars(Int64.self).enumerated().filter { $0.element >= 0 }.map { Int64($0.offset) }
    return DeviceBatch(
      tokens: tokens, segments: try #require(golden["token_type_ids"]),
      mask: try #require(golden["attention_mask"]).to(.float32), lengths: [], labels: labels,
      labelPlaces: Tensor(places),
      targets: Array(repeating: 0, count: rows), experiences: Array(repeating: 0, count: rows),
      candidates: Array(repeating: 0, count: rows), candidateSets: [[0]])
  }

  @Test(arguments: ["roberta-tiny", "roberta-bert"]) func scoresAndGradientsEqualTheReference(_ name: String) throws {
    let golden = try Golden.load("\(name)/outputs.safetensors"), batch = try batch(golden)
    let loaded = try ModelIndex.loadMasked(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    for parameter in loaded.parameters.all { parameter.isTrainable = true }
    let model = loaded.model, mask = try #require(batch.mask).unsqueezed(2)
    let hidden = model.hidden(batch, .evaluation)
    #expect(difference(hidden * mask, try #require(golden["hidden"]) * mask, atol: 1e-4) == nil)
    let positions = Tensor([Int64(1), 4, 13])
    let expected = try #require(golden["logits"]).reshaped(-1, model.vocabularySize).gathered(0, positions)
    #expect(difference(model.logits(hidden, at: positions, .evaluation), expected, atol: 1e-4) == nil)
    let predictor = MaskedPredictor(model, parameters: loaded.parameters)
    let loss = predictor(batch, .evaluation).loss
    let scores = predictor.tokenScores(batch)
    #expect(abs(scores.loss / Double(scores.count) - Double(loss.item())) < 1e-5)
    #expect(difference(loss, try #require(golden["loss"]), atol: 1e-5) == nil)
    loss.backward()
    try expectGradients(loaded.parameters, golden, prefix: name == "roberta-tiny" ? "roberta." : "bert.")
  }

  @Test func aClassifierReadsTheSameEncoder() throws {
    let golden = try Golden.load("roberta-tiny/outputs.safetensors"), batch = try batch(golden)
    let classifier = try Golden.url("roberta-tiny").load(), mask = try #require(batch.mask).unsqueezed(2)
    #expect(classifier.maxLength == 12)
    let hidden = inference { classifier.hidden(batch, .evaluation) * mask }
    #expect(difference(hidden, try #require(golden["hidden"]) * mask, atol: 1e-4) == nil)
  }

  @Test(arguments: ["roberta-tiny", "roberta-bert"]) func paddingOnTheLeftEqualsTheReference(_ name: String) throws {
    let golden = try Golden.load("\(name)/left.safetensors"), tokens = try #require(golden["input_ids"])
    let mask = try #require(golden["attention_mask"]).to(.float32), rows = tokens.size(0)
    let batch = DeviceBatch(
      tokens: tokens, segments: try #require(golden["token_type_ids"]), mask: mask, lengths: [],
      targets: Array(repeating: 0, count: rows), experiences: Array(repeating: 0, count: rows),
      candidates: Array(repeating: 0, count: rows), candidateSets: [[0]])
    let model = try Golden.url(name).load()
    let hidden = inference { model.hidden(batch, .evaluation) * mask.unsqueezed(2) }
    #expect(difference(hidden, try #require(golden["hidden"]) * mask.unsqueezed(2), atol: 1e-4) == nil)
  }

  @Test func xlmRobertaIsTheSameEncoder() throws {
    let golden = try Golden.load("roberta-tiny/outputs.safetensors"), batch = try batch(golden)
    try withCopy("roberta-tiny") { folder in
      try folder.configure(["model_type": "xlm-roberta"])
      let loaded = try ModelIndex.loadMasked(folder, dtype: .float32, device: .cpu, seed: 0)
      let scores = inference { loaded.model.logits(loaded.model.hidden(batch, .evaluation), .evaluation) }
      let mask = try #require(batch.mask).unsqueezed(2)
      #expect(difference(scores * mask, try #require(golden["logits"]) * mask, atol: 1e-4) == nil)
    }
  }

  @Test func aCheckpointWithoutTheHeadGetsAFreshOne() throws {
    try withCopy("roberta-tiny") { folder in
      try folder.rewrite { tensors in tensors = tensors.filter { !$0.key.hasPrefix("lm_head.") } }
      let loaded = try ModelIndex.loadMasked(folder, dtype: .float32, device: .cpu, seed: 0)
      let head = loaded.parameters.all.filter { $0.name.hasPrefix("lm_head.") }
      #expect(head.map(\.name).contains("lm_head.dense.weight"))
      // And it goes out with the encoder, under its own name.
      let target = folder.deletingLastPathComponent().appendingPathComponent("out-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: target) }
      try ModelDirectory(folder).export(LazyWeights(loaded.parameters.snapshot()), to: target)
      let again = try ModelIndex.loadMasked(target, dtype: .float32, device: .cpu, seed: 1)
      for parameter in loaded.parameters.all {
        #expect(difference(try #require(again.parameters[parameter.name]).master, parameter.master, atol: 0) == nil)
      }
    }
  }

  @Test func aHalfHeadIsNamed() throws {
    try withCopy("roberta-tiny") { folder in
      try folder.rewrite { tensors in tensors = tensors.filter { !$0.key.hasPrefix("lm_head.layer_norm") } }
      let error = #expect(throws: ModelError.self) {
        _ = try ModelIndex.loadMasked(folder, dtype: .float32, device: .cpu, seed: 0)
      }
      #expect(
        error?.description == "the weights in \(folder.path) do not fit its config.json. Missing: "
          + "lm_head.layer_norm.weight; lm_head.layer_norm.bias.")
    }
  }
}
