import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

private let names = [
  "llama-grouped", "llama-tied", "llama-scaled", "llama-window", "llama-qwen2", "llama-qwen3",
]

@Suite struct LlamaTests {
  private func load(_ name: String, dtype: DType = .float32) throws -> ModelIndex.Loaded<any CausalLanguageModel> {
    try ModelIndex.loadCausal(Golden.url(name), dtype: dtype, device: .cpu, seed: 0)
  }

  /// Scores of `tokens`, in evaluation.
  private func scores(
    _ model: any CausalLanguageModel, _ tokens: Tensor, mask: Tensor?, cache: KeyValueCache? = nil
  ) -> Tensor {
    inference { model.logits(model.hidden(tokens, mask: mask, cache: cache, .evaluation), .evaluation) }
  }

  @Test(arguments: names) func scoresAndGradientsEqualTheReference(_ name: String) throws {
    let golden = try Golden.load("\(name)/outputs.safetensors")
    let (tokens, labels) = (try #require(golden["input_ids"]), try #require(golden["labels"]))
    let mask = try #require(golden["attention_mask"]).to(.float32), length = tokens.size(1)
    let loaded = try load(name), model = loaded.model
    for parameter in loaded.parameters.all { parameter.isTrainable = true }
    let hidden = model.hidden(tokens, mask: mask, cache: nil, .evaluation)
    let logits = model.logits(hidden, .evaluation) * mask.unsqueezed(2)
    #expect(difference(logits, try #require(golden["logits"]) * mask.unsqueezed(2), atol: 1e-4) == nil)
    let loss = model.logits(hidden.narrowed(1, 0..<length - 1), .evaluation).reshaped(-1, model.vocabularySize)
      .crossEntropy(labels.narrowed(1, 1..<length).reshaped(-1))
    #expect(difference(loss, try #require(golden["loss"]), atol: 1e-5) == nil)
    loss.backward()
    try expectGradients(loaded.parameters, golden)
  }

  @Test(arguments: names) func cachedStepsEqualTheWholeSequence(_ name: String) throws {
    let tokens = try #require(Golden.load("\(name)/outputs.safetensors")["input_ids"]).narrowed(0, 0..<1)
    let model = try load(name).model, length = tokens.size(1)
    let whole = scores(model, tokens, mask: nil)
    let cache = KeyValueCache(capacity: length)
    var steps: [Tensor] = []
    for range in [0..<4, 4..<6] + (6..<length).map({ $0..<$0 + 1 }) {
      steps.append(scores(model, tokens.narrowed(1, range), mask: nil, cache: cache))
    }
    #expect(difference(.concatenated(steps, 1), whole, atol: 2e-5) == nil)
    #expect(cache.length == length)
  }

  @Test(arguments: names) func paddingOnTheLeftEqualsPaddingOnTheRight(_ name: String) throws {
    let all = try #require(Golden.load("\(name)/outputs.safetensors")["input_ids"])
    let text = all.narrowed(1, 0..<6), pad = Tensor.zeros([3, 3], dtype: .int64)
    let ones = Tensor.ones([3, 6]), zeros = Tensor.zeros([3, 3])
    let model = try load(name).model
    let plain = scores(model, text, mask: nil)
    let right = scores(model, .concatenated([text, pad], 1), mask: .concatenated([ones, zeros], 1))
    #expect(difference(right.narrowed(1, 0..<6), plain, atol: 2e-5) == nil)
    let mask = Tensor.concatenated([zeros, ones], 1)
    let left = scores(model, .concatenated([pad, text], 1), mask: mask)
    #expect(difference(left.narrowed(1, 3..<9), plain, atol: 2e-5) == nil)
    // The same through a cache: the padded text first, then one token.
    let cache = KeyValueCache(capacity: 9)
    _ = scores(model, .concatenated([pad, text.narrowed(1, 0..<5)], 1), mask: mask.narrowed(1, 0..<8), cache: cache)
    let last = scores(model, text.narrowed(1, 5..<6), mask: mask, cache: cache)
    #expect(difference(last, plain.narrowed(1, 5..<6), atol: 2e-5) == nil)
  }

  @Test func rowsOfTheCacheAreReorderedAndDropped() throws {
    let tokens = try #require(Golden.load("llama-grouped/outputs.safetensors")["input_ids"]).narrowed(1, 0..<6)
    let model = try load("llama-grouped").model, rows = Tensor([Int64(2), 0])
    let cache = KeyValueCache(capacity: 6)
    _ = scores(model, tokens.narrowed(1, 0..<5), mask: nil, cache: cache)
    inference { cache.select(rows: rows) }
    let last = scores(model, tokens.narrowed(1, 5..<6).gathered(0, rows), mask: nil, cache: cache)
    let whole = scores(model, tokens.gathered(0, rows), mask: nil)
    #expect(difference(last, whole.narrowed(1, 5..<6), atol: 2e-5) == nil)
  }

  @Test func bfloat16ComputesNearFloat32() throws {
    let golden = try Golden.load("llama-grouped/outputs.safetensors")
    let tokens = try #require(golden["input_ids"]).narrowed(0, 0..<1)
    let model = try load("llama-grouped", dtype: .bfloat16).model
    #expect(inference { model.hidden(tokens, mask: nil, cache: nil, .evaluation) }.dtype == .bfloat16)
    let logits = scores(model, tokens, mask: nil)
    #expect(
      difference(logits, try #require(golden["logits"]).narrowed(0, 0..<1), atol: 0.2, rtol: 0.05) == nil)
  }

  @Test func tensorsInHalfPrecisionAreLoaded() throws {
    for dtype in [DType.bfloat16, .float16] {
      try withCopy("llama-grouped") { folder in
        try folder.rewrite { tensors in tensors = tensors.mapValues { $0.to(dtype) } }
        let parameters = try ModelIndex.loadCausal(folder, dtype: .float32, device: .cpu, seed: 0).parameters
        let name = "model.layers.0.mlp.up_proj.weight"
        let expected = try #require(SafeTensorsFile(folder.weights)[name]).to(.float32)
        #expect(difference(try #require(parameters[name]).master, expected, atol: 0) == nil)
      }
    }
  }

  @Test func aTiedHeadReadsTheEmbeddings() throws {
    let parameters = try load("llama-tied").parameters
    let words = try #require(parameters["model.embed_tokens.weight"])
    #expect(parameters["lm_head.weight"] == nil)
    #expect(parameters.linears.filter { $0.weight === words }.count == 1)
  }
}

/// Every gradient of the golden against the parameter's.
func expectGradients(_ parameters: ParameterStore, _ golden: [String: Tensor], prefix: String = "") throws {
  var compared = 0
  for (key, expected) in golden where key.hasPrefix("gradient.") {
    let full = String(key.dropFirst("gradient.".count))
    let name = full.hasPrefix(prefix) ? String(full.dropFirst(prefix.count)) : full
    let gradient = try #require(parameters[name]?.gradient, "no gradient for \(name)")
    #expect(difference(gradient, expected, atol: 1e-5, rtol: 1e-3) == nil, "\(name)")
    compared += 1
  }
  #expect(compared > 10)
}

/// A copy of a golden model directory in a temporary folder that disappears with the closure.
func withCopy<Result>(_ name: String, _ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-model-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for file in ["config.json", "model.safetensors"] {
    try FileManager.default.copyItem(
      at: Golden.url("\(name)/\(file)"), to: folder.appendingPathComponent(file))
  }
  return try body(folder)
}
