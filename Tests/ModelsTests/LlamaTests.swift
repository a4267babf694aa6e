import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct LlamaTests {
  static let variants = ["llama-3", "llama-linear", "llama-mistral", "llama-qwen2", "llama-qwen3"]

  private func load(_ name: String) throws -> (model: any CausalLanguageModel, parameters: ParameterStore) {
    try ModelIndex.decoder(Golden.url(name), dtype: .float32, device: .cpu)
  }

  private func logits(
    _ model: any CausalLanguageModel, _ tokens: Tensor, _ mask: Tensor?, _ cache: KeyValueCache? = nil
  ) -> Tensor {
    model.logits(model.hidden(tokens, mask: mask, cache: cache, .evaluation), .evaluation)
  }

  @Test(arguments: variants) func logitsAndGradientsEqualTheReference(_ name: String) throws {
    let golden = try Golden.load("\(name)/outputs.safetensors")
    let (model, parameters) = try load(name)
    let mask = try #require(golden["attention_mask"]).to(.float32)
    for parameter in parameters.all { parameter.isTrainable = true }
    let logits = logits(model, try #require(golden["input_ids"]), mask)
    #expect(difference(logits * mask.unsqueezed(2), try #require(golden["logits"]), atol: 1e-4) == nil)
    let labels = try #require(golden["labels"])
    let loss = logits.reshaped(-1, model.vocabularySize).crossEntropy(labels.reshaped(-1))
    #expect(difference(loss, try #require(golden["loss"]), atol: 1e-5) == nil)
    loss.backward()
    var compared = 0
    for (key, expected) in golden where key.hasPrefix("gradient.") {
      let name = String(key.dropFirst("gradient.".count))
      let gradient = try #require(parameters[name]?.gradient, "no gradient for \(name)")
      #expect(difference(gradient, expected, atol: 1e-5, rtol: 1e-3) == nil, "\(name)")
      compared += 1
    }
    #expect(compared == parameters.all.count)
  }

  /// Token by token, in two pieces, and all at once: with padding on the left, as generation has it.
  @Test(arguments: variants) func aCacheChangesNothing(_ name: String) throws {
    let golden = try Golden.load("\(name)/outputs.safetensors")
    let model = try load(name).model
    let row = Tensor([2] as [Int64])
    let tokens = try #require(golden["input_ids"]).gathered(0, row), length = tokens.size(1)
    let mask = try #require(golden["attention_mask"]).gathered(0, row).to(.float32)
    let first = 3
    for step in [1, 4] {
      inference {
        let whole = logits(model, tokens, mask)
        let cache = KeyValueCache(capacity: length)
        var parts: [Tensor] = []
        var start = 0
        while start < length {
          let end = min(start + step, length)
          parts.append(
            logits(model, tokens.narrowed(1, start..<end), mask.narrowed(1, 0..<end), cache))
          start = end
        }
        let stepwise = Tensor.concatenated(parts, 1)
        #expect(
          difference(
            stepwise.narrowed(1, first..<length), whole.narrowed(1, first..<length), atol: 1e-5) == nil)
      }
    }
  }

  @Test(arguments: variants) func paddingOnEitherSideGivesTheSame(_ name: String) throws {
    let model = try load(name).model
    let text: [Int64] = [5, 9, 30, 7]
    inference {
      let plain = logits(model, Tensor(text, shape: [1, 4]), nil)
      let left = logits(
        model, Tensor([0, 0] + text, shape: [1, 6]), Tensor([0, 0, 1, 1, 1, 1] as [Float], shape: [1, 6]))
      let right = logits(
        model, Tensor(text + [0, 0], shape: [1, 6]), Tensor([1, 1, 1, 1, 0, 0] as [Float], shape: [1, 6]))
      #expect(difference(left.narrowed(1, 2..<6), plain, atol: 1e-5) == nil)
      #expect(difference(right.narrowed(1, 0..<4), plain, atol: 1e-5) == nil)
    }
  }

  @Test func anUnknownKindOfPositionsIsNamed() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: Golden.url("llama-3"), to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("config.json")
    let text = try String(contentsOf: file, encoding: .utf8).replacingOccurrences(of: "\"llama3\"", with: "\"yarn\"")
    try Data(text.utf8).write(to: file)
    let error = #expect(throws: ModelError.self) {
      try ModelIndex.decoder(folder, dtype: .float32, device: .cpu)
    }
    #expect(
      error?.description
        == "\(file.path): the key 'rope_parameters' cannot be used: the type 'yarn' or one of its numbers is missing or "
        + "not supported; supported: default, linear, llama3.")
  }

  /// The 260-thousand-parameter model of TinyStories, and what greedy decoding with it gives.
  @Test(.enabled(if: Golden.data != nil, "needs the folder weights in JAY_DATA or in ../shared/data"))
  func aRealModelWritesItsStory() throws {
    let source = try #require(Golden.data).appendingPathComponent("weights/llama_stories260k")
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let story = try Story.convert(source, to: folder)
    let model = try ModelIndex.decoder(folder, dtype: .float32, device: .cpu).model
    let cache = KeyValueCache(capacity: story.count + 1)
    var token: Int64 = 1
    var written: [Int] = []
    inference {
      for _ in story {
        let scores = logits(model, Tensor([token], shape: [1, 1]), nil, cache)
        token = scores.reshaped(1, -1).argmax(1).scalars(Int64.self)[0]
        written.append(Int(token))
      }
    }
    #expect(written == story)
  }
}

/// A checkpoint of llama2.c as a Hugging Face directory.
private enum Story {
  struct Facts: Decodable { let greedy_token_ids_from_bos: [Int] }

  /// - Returns: the token ids of the story.
  static func convert(_ source: URL, to folder: URL) throws -> [Int] {
    let names = [
      "attention_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attention.wq": "self_attn.q_proj",
      "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj", "attention.wo": "self_attn.o_proj",
      "feed_forward.w1": "mlp.gate_proj", "feed_forward.w2": "mlp.down_proj", "feed_forward.w3": "mlp.up_proj",
      "tok_embeddings": "model.embed_tokens", "norm": "model.norm",
    ]
    var tensors: [String: Tensor] = [:]
    for (name, value) in try SafeTensorsFile(source.appendingPathComponent("stories260K.safetensors")).tensors() {
      let parts = name.split(separator: ".").map(String.init)
      let isLayer = parts[0] == "layers"
      let inner = (isLayer ? parts.dropFirst(2) : parts[...]).dropLast().joined(separator: ".")
      let renamed = try #require(names[inner], "\(name)")
      let full = (isLayer ? "model.layers.\(parts[1])." : "") + renamed + ".weight"
      tensors[full] = inner.hasSuffix("wq") || inner.hasSuffix("wk") ? halves(value) : value
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try SafeTensorsWriter.write(tensors, to: folder.appendingPathComponent("model.safetensors"))
    let configuration = """
      {"model_type": "llama", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
       "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
       "rope_theta": 10000.0, "tie_word_embeddings": true}
      """
    try Data(configuration.utf8).write(to: folder.appendingPathComponent("config.json"))
    let facts = try Data(contentsOf: source.appendingPathComponent("config.json"))
    return try JSONDecoder().decode(Facts.self, from: facts).greedy_token_ids_from_bos
  }

  /// There neighbours are rotated against each other, here halves: rows 0, 2, 4, 6, 1, 3, 5, 7 of each head of 8.
  private static func halves(_ weight: Tensor) -> Tensor {
    let heads = weight.size(0) / 8
    return weight.reshaped(heads, 4, 2, weight.size(1)).transposed(1, 2).reshaped(weight.shape)
  }
}
