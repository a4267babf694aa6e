import Foundation
import NN
import TestSupport
import Testing
import Torch

@testable import Models

@Suite struct T5Tests {
  private func load(_ name: String) throws -> ModelIndex.Loaded<any SequenceToSequenceModel> {
    try ModelIndex.loadSequenceToSequence(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
  }

  @Test(arguments: ["t5-tied", "t5-gated"]) func scoresAndGradientsEqualTheReference(_ name: String) throws {
    let golden = try Golden.load("\(name)/outputs.safetensors")
    let mask = try #require(golden["attention_mask"]).to(.float32)
    let loaded = try load(name), model = loaded.model
    for parameter in loaded.parameters.all { parameter.isTrainable = true }
    let encoded = model.encode(try #require(golden["input_ids"]), mask: mask, .evaluation)
    #expect(
      difference(
        encoded * mask.unsqueezed(2), try #require(golden["encoded"]) * mask.unsqueezed(2), atol: 1e-4) == nil)
    let hidden = model.decode(
      try #require(golden["decoder_input_ids"]), encoded: encoded, mask: mask, cache: nil, .evaluation)
    #expect(difference(model.logits(hidden, .evaluation), try #require(golden["logits"]), atol: 1e-4) == nil)
    let loss = model.logits(hidden, .evaluation).reshaped(-1, model.vocabularySize)
      .crossEntropy(try #require(golden["labels"]).reshaped(-1))
    #expect(difference(loss, try #require(golden["loss"]), atol: 1e-5) == nil)
    loss.backward()
    try expectGradients(loaded.parameters, golden)
  }

  @Test(arguments: ["t5-tied", "t5-gated"]) func cachedStepsEqualTheWholeSequence(_ name: String) throws {
    let golden = try Golden.load("\(name)/outputs.safetensors")
    let mask = try #require(golden["attention_mask"]).to(.float32)
    let tokens = try #require(golden["decoder_input_ids"]), length = tokens.size(1)
    let model = try load(name).model
    inference {
      let encoded = model.encode(golden["input_ids"] ?? tokens, mask: mask, .evaluation)
      let whole = model.decode(tokens, encoded: encoded, mask: mask, cache: nil, .evaluation)
      let cache = KeyValueCache(capacity: length)
      let steps = ([0..<3] + (3..<length).map { $0..<$0 + 1 }).map {
        model.decode(tokens.narrowed(1, $0), encoded: encoded, mask: mask, cache: cache, .evaluation)
      }
      #expect(difference(.concatenated(steps, 1), whole, atol: 2e-5) == nil)
    }
  }

  @Test func rowsOfTheCacheAreReorderedWithTheirTexts() throws {
    let golden = try Golden.load("t5-gated/outputs.safetensors"), rows = Tensor([Int64(2), 0, 0])
    let mask = try #require(golden["attention_mask"]).to(.float32)
    let texts = try #require(golden["input_ids"]), tokens = try #require(golden["decoder_input_ids"])
    let model = try load("t5-gated").model
    inference {
      let encoded = model.encode(texts, mask: mask, .evaluation)
      let chosen = (encoded: encoded.gathered(0, rows), mask: mask.gathered(0, rows))
      let cache = KeyValueCache(capacity: 6)
      _ = model.decode(tokens.narrowed(1, 0..<5), encoded: encoded, mask: mask, cache: cache, .evaluation)
      cache.select(rows: rows)
      let last = model.decode(
        tokens.narrowed(1, 5..<6).gathered(0, rows), encoded: chosen.encoded, mask: chosen.mask, cache: cache,
        .evaluation)
      let whole = model.decode(
        tokens.narrowed(1, 0..<6).gathered(0, rows), encoded: chosen.encoded, mask: chosen.mask, cache: nil,
        .evaluation)
      #expect(difference(last, whole.narrowed(1, 5..<6), atol: 2e-5) == nil)
    }
  }

  @Test func paddingOnTheLeftEqualsPaddingOnTheRight() throws {
    let text = try #require(Golden.load("t5-tied/outputs.safetensors")["input_ids"]).narrowed(1, 0..<3)
    let pad = Tensor.zeros([3, 4], dtype: .int64), ones = Tensor.ones([3, 3]), zeros = Tensor.zeros([3, 4])
    let model = try load("t5-tied").model
    inference {
      let plain = model.encode(text, mask: nil, .evaluation)
      let right = model.encode(.concatenated([text, pad], 1), mask: .concatenated([ones, zeros], 1), .evaluation)
      let left = model.encode(.concatenated([pad, text], 1), mask: .concatenated([zeros, ones], 1), .evaluation)
      #expect(difference(right.narrowed(1, 0..<3), plain, atol: 2e-5) == nil)
      #expect(difference(left.narrowed(1, 4..<7), plain, atol: 2e-5) == nil)
    }
  }

  @Test func dropoutDependsOnTheGeneratorAlone() throws {
    try withCopy("t5-tied") { folder in
      try folder.configure(["dropout_rate": 0.3])
      let model = try ModelIndex.loadSequenceToSequence(folder, dtype: .float32, device: .cpu, seed: 0).model
      let tokens = Tensor([Int64(5), 6, 7], shape: [1, 3])
      func hidden(_ mode: Mode) -> Tensor {
        inference { model.decode(tokens, encoded: model.encode(tokens, mask: nil, mode), mask: nil, cache: nil, mode) }
      }
      let first = hidden(.training(Generator(seed: 1)))
      #expect(difference(hidden(.training(Generator(seed: 1))), first, atol: 0) == nil)
      #expect(difference(hidden(.training(Generator(seed: 2))), first, atol: 1e-3) != nil)
      #expect(difference(hidden(.evaluation), first, atol: 1e-3) != nil)
    }
  }

  @Test func bucketsEqualTheReference() throws {
    for (key, expected) in try Golden.load("t5-buckets/buckets.safetensors") {
      let parts = key.split(separator: "."), count = Int(parts[0]) ?? 0, maximum = Int(parts[1]) ?? 0
      let found = (-600...600).map {
        Int64(RelativePositions.bucket($0, count: count, maxDistance: maximum, isBidirectional: parts[2] == "both"))
      }
      #expect(found == expected.scalars(Int64.self), "\(key)")
    }
  }

  @Test func copiesOfTiedWeightsAreIgnored() throws {
    try withCopy("t5-tied") { folder in
      try folder.rewrite {
        for name in ["lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"] {
          $0[name] = $0["shared.weight"]?.clone()
        }
      }
      let loaded = try ModelIndex.loadSequenceToSequence(folder, dtype: .float32, device: .cpu, seed: 0)
      #expect(loaded.parameters["lm_head.weight"] == nil)
    }
  }

  /// As transformers 5.23 writes a v1.1: its head is tied and not in the file, and reads states that are not scaled.
  @Test func aGatedModelWithoutAHeadReadsTheEmbeddings() throws {
    let golden = try Golden.load("t5-gated/outputs.safetensors")
    try withCopy("t5-gated") { folder in
      try folder.rewrite { $0["lm_head.weight"] = nil }
      for keys: [String: Any] in [[:], ["tie_word_embeddings": true, "scale_decoder_outputs": false]] {
        try folder.configure(keys)
        let loaded = try ModelIndex.loadSequenceToSequence(folder, dtype: .float32, device: .cpu, seed: 0)
        let model = loaded.model, mask = try #require(golden["attention_mask"]).to(.float32)
        let encoded = model.encode(try #require(golden["input_ids"]), mask: mask, .evaluation)
        let hidden = model.decode(
          try #require(golden["decoder_input_ids"]), encoded: encoded, mask: mask, cache: nil, .evaluation)
        let loss = model.logits(hidden, .evaluation).reshaped(-1, model.vocabularySize)
          .crossEntropy(try #require(golden["labels"]).reshaped(-1))
        // transformers 5.23.0, of the same folder.
        #expect(abs(loss.item() - 8.003649711608887) < 1e-5)
        #expect(loaded.parameters["lm_head.weight"] == nil)
      }
    }
  }

  @Test func activationsThatAreNotSupportedAreNamed() throws {
    try withCopy("t5-tied") { folder in
      try folder.configure(["feed_forward_proj": "gated-swish"])
      let error = #expect(throws: ModelError.self) {
        _ = try ModelIndex.loadSequenceToSequence(folder, dtype: .float32, device: .cpu, seed: 0)
      }
      #expect(
        error?.description
          == "\(folder.path)/config.json: the key 'feed_forward_proj' cannot be used: 'gated-swish' is "
          + "not supported. Supported: gelu, gated-gelu, relu, gated-relu, silu, gated-silu, tanh, gated-tanh, "
          + "gelu_new, gated-gelu_new.")
    }
  }
}
