import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct ModelDirectoryTests {
  private func values(_ model: EncoderClassifier) -> [String: [Float]] {
    model.parameters.snapshot().mapValues { $0.values() }
  }

  @Test func shardsEqualTheSingleFile() throws {
    try withModelFolder { folder in
      let whole = try values(folder.load())
      let tensors = try SafeTensorsFile(folder.weights).tensors().sorted { $0.key < $1.key }
      var map: [String: String] = [:]
      for (index, part) in [tensors.prefix(9), tensors.dropFirst(9)].enumerated() {
        let name = "model-0000\(index + 1)-of-00002.safetensors"
        try SafeTensorsWriter.write(
          Dictionary(uniqueKeysWithValues: part.map { ($0.key, $0.value) }), to: folder.appendingPathComponent(name))
        for (key, _) in part { map[key] = name }
      }
      try FileManager.default.removeItem(at: folder.weights)
      let index = folder.appendingPathComponent("model.safetensors.index.json")
      try JSONSerialization.data(withJSONObject: ["metadata": [:], "weight_map": map]).write(to: index)
      #expect(try values(folder.load()) == whole)
      try FileManager.default.removeItem(at: folder.appendingPathComponent("model-00002-of-00002.safetensors"))
      #expect(
        complaint(folder) == "cannot read FOLDER/model-00002-of-00002.safetensors: No such file or directory. "
          + "Check the path and its permissions.")
      try Data("{}".utf8).write(to: index)
      #expect(complaint(folder) == "FOLDER/model.safetensors.index.json: the key 'weight_map' is missing.")
    }
  }

  @Test func wrappedCheckpointsLoseTheirPrefix() throws {
    try withModelFolder { folder in
      let plain = try values(folder.load())
      try folder.rewrite { tensors in
        tensors = Dictionary(uniqueKeysWithValues: tensors.map { ("bert.\($0.key)", $0.value) })
        tensors["cls.predictions.bias"] = .zeros([3])
      }
      #expect(try values(folder.load()) == plain)
    }
  }

  @Test func tensorsThatAClassifierDoesNotUseAreIgnored() throws {
    try withModelFolder { folder in
      try folder.rewrite {
        $0["pooler.dense.weight"] = .zeros([2, 2])
        $0["classifier.bias"] = .zeros([2])
        $0["embeddings.position_ids"] = .zeros([1, 4], dtype: .int64)
      }
      #expect(complaint(folder) == nil)
    }
  }

  @Test func weightsThatDoNotFitAreListedTogether() throws {
    try withModelFolder { folder in
      try folder.rewrite {
        $0["embeddings.LayerNorm.bias"] = nil
        $0["encoder.layer.1.output.dense.bias"] = nil
        $0["embeddings.LayerNorm.weight"] = .ones([7])
        $0["stray.b"] = .ones([1])
        $0["stray.a"] = .ones([1])
      }
      #expect(
        complaint(folder) == "the weights in FOLDER do not fit its config.json. "
          + "Missing: embeddings.LayerNorm.bias; encoder.layer.1.output.dense.bias. "
          + "Wrong shape: embeddings.LayerNorm.weight is [7], not [32]. Unexpected: stray.a; stray.b.")
    }
  }

  @Test func sizesFarBeyondTheWeightsAreListedToo() throws {
    try withModelFolder { folder in
      try folder.configure(["vocab_size": 2_000_000_000])
      #expect(
        complaint(folder) == "the weights in FOLDER do not fit its config.json. "
          + "Wrong shape: embeddings.word_embeddings.weight is [100, 32], not [2000000000, 32].")
    }
  }

  @Test func otherArchitecturesAreNamed() throws {
    try withModelFolder { folder in
      try folder.configure(["model_type": "mamba"])
      let expected =
        "FOLDER holds a 'mamba' model. Supported: bert, roberta, xlm-roberta, t5, llama, mistral, qwen2, qwen3."
      #expect(complaint(folder) == expected)
      for use in [ModelIndex.Use.tasks(pooling: .mean, dropout: 0), .pretraining] {
        let error = #expect(throws: ModelError.self) {
          _ = try ModelIndex.load(folder, for: use, .init(dtype: .float32, device: .cpu, seed: 0))
        }
        #expect(error?.description.replacingOccurrences(of: folder.path, with: "FOLDER") == expected)
      }
      #expect(throws: ModelError.self) { try ModelDirectory(folder).knownArchitecture() }
    }
  }

  @Test func picklesAreRefused() throws {
    try withModelFolder { folder in
      try FileManager.default.removeItem(at: folder.weights)
      #expect(complaint(folder) == "FOLDER has no model.safetensors and no model.safetensors.index.json.")
      try Data([0x80]).write(to: folder.appendingPathComponent("optimizer.pt"))
      try Data([0x80]).write(to: folder.appendingPathComponent("pytorch_model.bin"))
      #expect(
        complaint(folder) == "FOLDER/pytorch_model.bin is a pickle, which can run code when loaded; Jay reads "
          + "safetensors only. Convert it once, in its folder: python -c 'import glob, torch; from safetensors.torch "
          + "import save_file; save_file({k: v.clone().contiguous() for f in glob.glob(\"pytorch_model*.bin\") for k, v in "
          + "torch.load(f, map_location=\"cpu\", weights_only=True).items()}, \"model.safetensors\", {\"format\": \"pt\"})'"
      )
    }
  }

  @Test func tokenizersOfLlama2CAreNoPickles() throws {
    try withModelFolder { folder in
      try FileManager.default.removeItem(at: folder.weights)
      try Data([0x80]).write(to: folder.appendingPathComponent("tok512.bin"))
      #expect(complaint(folder) == "FOLDER has no model.safetensors and no model.safetensors.index.json.")
      try Data([0x80]).write(to: folder.appendingPathComponent("pytorch_model.bin"))
      // Drawn anew, the model needs none of them; its tokenizer goes along.
      let directory = try ModelDirectory(folder, needsWeights: false)
      let target = folder.appendingPathComponent("copy")
      try directory.write([:], to: target)
      #expect(FileManager.default.fileExists(atPath: target.appendingPathComponent("tok512.bin").path))
      #expect(!FileManager.default.fileExists(atPath: target.appendingPathComponent("pytorch_model.bin").path))
    }
  }

  @Test func foldersThatHoldNoModelAreNamed() throws {
    try withModelFolder { folder in
      let advice = " is not a folder. Name a model directory (config.json, model.safetensors, tokenizer.json)."
      #expect(complaint(folder.configuration) == "FOLDER" + advice, "a file")
      #expect(complaint(folder.appendingPathComponent("absent")) == "FOLDER" + advice)
      try FileManager.default.removeItem(at: folder.configuration)
      #expect(complaint(folder) == "FOLDER has no config.json, so it is not a model directory in Hugging Face format.")
    }
  }

  @Test func configurationsThatAreNotObjectsAreNamed() throws {
    try withModelFolder { folder in
      for text in ["", "[]", "{", "3"] {
        try Data(text.utf8).write(to: folder.configuration)
        #expect(complaint(folder) == "FOLDER/config.json: it is not a JSON object.", "\(text)")
      }
      try Data("{\"model_type\": 3}".utf8).write(to: folder.configuration)
      #expect(complaint(folder) == "FOLDER/config.json: the key 'model_type' is missing.")
    }
  }

  @Test func keysThatCannotBeUsedAreNamed() throws {
    let range = "is not a number from 1 to 2147483647."
    let cases: [(String, Any?, String)] = [
      ("hidden_size", 33, "'num_attention_heads' cannot be used: hidden_size 33 is not a multiple of num_attention"),
      ("num_attention_heads", 0, "'num_attention_heads' cannot be used: 0 \(range)"),
      ("num_hidden_layers", -1, "'num_hidden_layers' cannot be used: -1 \(range)"),
      ("vocab_size", 1 << 60, "'vocab_size' cannot be used: 1152921504606846976 \(range)"),
      ("vocab_size", "many", "'vocab_size' cannot be used: "),
      ("hidden_act", "swish2", "'hidden_act' cannot be used: "),
      ("hidden_size", nil, "'hidden_size' is missing."),
    ]
    for (key, value, expected) in cases {
      try withModelFolder { folder in
        try folder.configure([key: value])
        let sentence = try #require(complaint(folder))
        #expect(sentence.hasPrefix("FOLDER/config.json: the key \(expected)"), "\(sentence)")
        #expect(sentence.hasSuffix(".") && !sentence.hasSuffix(".."), "\(sentence)")
      }
    }
  }

  @Test func bfloat16ComputesNearFloat32() throws {
    let golden = try Golden.load("bert-tiny/outputs.safetensors")
    let tokens = try #require(golden["input_ids"]), rows = tokens.size(0)
    let mask = try #require(golden["attention_mask"]).to(.float32)
    let batch = DeviceBatch(
      tokens: tokens, segments: try #require(golden["token_type_ids"]), mask: mask, lengths: [],
      targets: Array(repeating: 0, count: rows), experiences: Array(repeating: 0, count: rows),
      candidates: Array(repeating: 0, count: rows), candidateSets: [[0]])
    let hidden = try Golden.url("bert-tiny").load(dtype: .bfloat16).hidden(batch, .evaluation)
    #expect(hidden.dtype == .bfloat16)
    let expected = try #require(golden["last_hidden_state"]) * mask.unsqueezed(2)
    #expect(difference(hidden.to(.float32) * mask.unsqueezed(2), expected, atol: 0.06) == nil)
  }
}
