import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

private let stories = Golden.data?.appendingPathComponent("weights/llama_stories260k")

/// Published weights, whose greedy continuation is known.
@Suite(
  .enabled(
    if: stories.map { FileManager.default.fileExists(atPath: $0.path) } ?? false,
    "stories260K is absent: set JAY_DATA to the folder that holds weights/llama_stories260k"))
struct LlamaStoriesTests {
  private struct Facts: Decodable {
    let dim: Int, hidden_dim: Int, n_layers: Int, n_heads: Int, n_kv_heads: Int, vocab_size: Int, max_seq_len: Int
    let norm_eps: Double, rope_theta: Double
    let greedy_token_ids_from_bos: [Int]

    var configuration: [String: Any] {
      [
        "model_type": "llama", "hidden_size": dim, "intermediate_size": hidden_dim, "num_hidden_layers": n_layers,
        "num_attention_heads": n_heads, "num_key_value_heads": n_kv_heads, "vocab_size": vocab_size,
        "max_position_embeddings": max_seq_len, "rms_norm_eps": norm_eps, "rope_theta": rope_theta,
        "tie_word_embeddings": true,
      ]
    }
  }

  /// A name of the published file as the reference writes it.
  private func renamed(_ name: String) -> String {
    let parts = [
      "tok_embeddings": "model.embed_tokens", "attention.wq": "self_attn.q_proj", "attention.wk": "self_attn.k_proj",
      "attention.wv": "self_attn.v_proj", "attention.wo": "self_attn.o_proj", "attention_norm": "input_layernorm",
      "ffn_norm": "post_attention_layernorm", "feed_forward.w1": "mlp.gate_proj", "feed_forward.w2": "mlp.down_proj",
      "feed_forward.w3": "mlp.up_proj",
    ]
    for (old, new) in parts where name.contains(old) {
      let changed = name.replacingOccurrences(of: old, with: new)
      return changed.hasPrefix("layers") ? "model.\(changed)" : changed
    }
    return "model.\(name)"
  }

  /// Rows of pairs (0, 1), (2, 3), … laid out as halves, in each head.
  private func halved(_ weight: Tensor, heads: Int) -> Tensor {
    let pairs = weight.size(0) / heads / 2
    return weight.reshaped(heads, pairs, 2, weight.size(1)).transposed(1, 2).reshaped(weight.shape).contiguous()
  }

  @Test func greedyDecodingGivesTheKnownStory() throws {
    let source = try #require(stories)
    let facts = try JSONDecoder().decode(
      Facts.self, from: Data(contentsOf: source.appendingPathComponent("config.json")))
    try withCopy("llama-grouped") { folder in
      var tensors: [String: Tensor] = [:]
      for (name, value) in try SafeTensorsFile(source.appendingPathComponent("stories260K.safetensors")).tensors() {
        let isRotated = name.hasSuffix("wq.weight") || name.hasSuffix("wk.weight")
        let heads = name.contains("wq") ? facts.n_heads : facts.n_kv_heads
        tensors[renamed(name)] = isRotated ? halved(value, heads: heads) : value
      }
      try folder.rewrite { $0 = tensors }
      try JSONSerialization.data(withJSONObject: facts.configuration).write(to: folder.configuration)
      let model = try ModelIndex.loadCausal(folder, dtype: .float32, device: .cpu, seed: 0).model
      let expected = facts.greedy_token_ids_from_bos
      let cache = KeyValueCache(capacity: expected.count + 1)
      var written: [Int] = [], token = 1
      while written.count < expected.count {
        token = inference {
          let read = Tensor([Int64(token)], shape: [1, 1])
          let hidden = model.hidden(read, mask: nil, cache: cache, .evaluation)
          return Int(model.logits(hidden, .evaluation).argmax(2).item())
        }
        written.append(token)
      }
      #expect(written == expected)
    }
  }
}
