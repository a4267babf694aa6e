import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct LlamaDirectoryTests {
  private func complaint(_ folder: URL) -> String? {
    do {
      _ = try ModelIndex.loadCausal(folder, dtype: .float32, device: .cpu, seed: 0)
      return nil
    } catch {
      return error.localizedDescription.replacingOccurrences(of: folder.path, with: "FOLDER")
    }
  }

  @Test func shardsEqualTheWhole() throws {
    try withCopy("llama-grouped") { folder in
      func values() throws -> [String: [Float]] {
        try ModelIndex.loadCausal(folder, dtype: .float32, device: .cpu, seed: 0).parameters.snapshot().mapValues {
          $0.values()
        }
      }
      let whole = try values()
      var map: [String: String] = [:]
      let tensors = try SafeTensorsFile(folder.weights).tensors().sorted { $0.key < $1.key }
      for (index, part) in [tensors.prefix(7), tensors.dropFirst(7)].enumerated() {
        let name = "model-0000\(index + 1)-of-00002.safetensors"
        for (key, _) in part { map[key] = name }
        try SafeTensorsWriter.write(
          Dictionary(uniqueKeysWithValues: part.map { ($0.key, $0.value) }), to: folder.appendingPathComponent(name))
      }
      try FileManager.default.removeItem(at: folder.weights)
      try JSONSerialization.data(withJSONObject: ["metadata": [:], "weight_map": map])
        .write(to: folder.appendingPathComponent("model.safetensors.index.json"))
      #expect(try values() == whole)
    }
  }

  @Test func weightsThatDoNotFitAreListedTogether() throws {
    try withCopy("llama-grouped") { folder in
      try folder.rewrite {
        $0["lm_head.weight"] = nil
        $0["model.norm.weight"] = .ones([7])
        $0["stray.weight"] = .ones([1])
      }
      #expect(
        complaint(folder) == "the weights in FOLDER do not fit its config.json. Missing: lm_head.weight. "
          + "Wrong shape: model.norm.weight is [7], not [32]. Unexpected: stray.weight.")
    }
  }

  @Test func copiesOfTiedWeightsAreIgnored() throws {
    try withCopy("llama-tied") { folder in
      try folder.rewrite {
        $0["lm_head.weight"] = $0["model.embed_tokens.weight"]?.clone()
        $0["model.layers.0.self_attn.rotary_emb.inv_freq"] = .ones([4])
      }
      #expect(complaint(folder) == nil)
    }
  }

  @Test func positionScalingsThatAreNotSupportedAreNamed() throws {
    try withCopy("llama-grouped") { folder in
      for (key, type) in [("rope_scaling", "type"), ("rope_scaling", "rope_type"), ("rope_parameters", "rope_type")] {
        try folder.configure(["rope_scaling": nil, "rope_parameters": nil])
        try folder.configure([key: [type: "yarn", "factor": 4]])
        #expect(
          complaint(folder) == "FOLDER/config.json: the key '\(key)' cannot be used: the rope type 'yarn' is not "
            + "supported. Supported: default, linear, llama3.")
      }
      try folder.configure(["rope_parameters": nil, "rope_scaling": ["type": "linear"]])
      #expect(
        complaint(folder) == "FOLDER/config.json: the key 'rope_scaling' cannot be used: "
          + "'factor' is missing or not above 0.")
    }
  }

  @Test func sizesThatDoNotFitAreNamed() throws {
    let cases: [(String, Any, String)] = [
      ("num_key_value_heads", 3, "num_attention_heads 4 is not a multiple of it (3)"),
      ("head_dim", 7, "a rotary embedding needs an even width, not 7"),
      ("num_attention_heads", 0, "0 is not a number from 1 to 2147483647"),
    ]
    for (key, value, reason) in cases {
      try withCopy("llama-grouped") { folder in
        try folder.configure([key: value])
        #expect(complaint(folder) == "FOLDER/config.json: the key '\(key)' cannot be used: \(reason).")
      }
    }
  }

  @Test func otherKindsOfModelAreNamed() throws {
    #expect(
      complaint(Golden.url("bert-tiny")) == "FOLDER holds a 'bert' model, and what is asked needs one of these: llama, "
        + "mistral, qwen2, qwen3.")
  }
}
