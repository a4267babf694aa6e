import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

/// Loads a golden's copy as what trains most of it.
func load(_ folder: URL, dtype: DType = .float32) throws -> ParameterStore {
  switch try ModelIndex.family(ModelDirectory(folder).architecture) {
  case .encoder:
    // A plain encoder has no pre-training head.
    let isPlain = try ModelDirectory(folder).tensors()["embeddings.word_embeddings.weight"] != nil
    if isPlain { return try folder.load(dtype: dtype).parameters }
    return try ModelIndex.loadMasked(folder, dtype: dtype, device: .cpu, seed: 0).parameters
  case .decoder: return try ModelIndex.loadCausal(folder, dtype: dtype, device: .cpu, seed: 0).parameters
  case .encoderDecoder:
    return try ModelIndex.loadSequenceToSequence(folder, dtype: dtype, device: .cpu, seed: 0).parameters
  }
}

/// The copies of tied weights that checkpoints of the tiny models may hold, by the weight's name there.
let copies = [
  "t5-tied": ["shared.weight": ["lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]],
  "t5-gated": ["shared.weight": ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]],
  "llama-tied": ["model.embed_tokens.weight": ["lm_head.weight"]],
  "roberta-tiny": [
    "roberta.embeddings.word_embeddings.weight": ["lm_head.decoder.weight"], "lm_head.bias": ["lm_head.decoder.bias"],
  ],
  "roberta-bert": [
    "bert.embeddings.word_embeddings.weight": ["cls.predictions.decoder.weight"],
    "cls.predictions.bias": ["cls.predictions.decoder.bias"],
  ],
]

/// A folder below the system's temporary one that disappears with the closure.
func withTarget<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-export-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

@Suite struct ExportTests {
  private func exported(
    _ folder: URL, _ parameters: ParameterStore, tokenizer: ModelDirectory.OtherTokenizer? = nil,
    shardSize: ShardSize = .standard, to target: URL
  ) throws -> [String: Tensor] {
    try ModelDirectory(folder).export(
      parameters.lazyMergedBackbone(), to: target, tokenizer: tokenizer, shardSize: shardSize)
    return try ModelDirectory(target).tensors()
  }

  private func bytes(_ tensor: Tensor?) -> [UInt8] { tensor?.withBytes { [UInt8]($0) } ?? [] }

  @Test(arguments: copies.keys.sorted()) func copiesOfTiedWeightsAreTrainedToo(_ name: String) throws {
    try withCopy(name) { folder in
      let copies = try #require(copies[name])
      try folder.rewrite { tensors in
        for (original, names) in copies { for copy in names { tensors[copy] = tensors[original]?.clone() } }
      }
      let parameters = try load(folder)
      for parameter in parameters.all { parameter.assign(parameter.master * 1.5) }
      try withTarget { target in
        let before = try ModelDirectory(folder).tensors(), after = try exported(folder, parameters, to: target)
        #expect(after.keys.sorted() == before.keys.sorted())
        for (original, names) in copies {
          for copy in names {
            let expected = try #require(before[original]) * 1.5
            #expect(difference(try #require(after[copy]), expected, atol: 0) == nil, "\(copy)")
          }
        }
        #expect(try load(target).all.map(\.name) == parameters.all.map(\.name))
      }
    }
  }

  @Test func aHeadThatIsNoCopyOfTheEmbeddingsStays() throws {
    try withCopy("roberta-bert") { folder in
      try folder.rewrite { $0["cls.predictions.decoder.weight"] = .ones([96, 24]) }
      let parameters = try folder.load().parameters
      for parameter in parameters.all { parameter.assign(parameter.master * 1.5) }
      try withTarget { target in
        let after = try exported(folder, parameters, to: target)
        #expect(after["cls.predictions.decoder.weight"]?.values().allSatisfy { $0 == 1 } == true)
      }
    }
  }

  @Test func thePoolerStaysAndATasksHeadGoes() throws {
    try withModelFolder { folder in
      try folder.rewrite {
        $0["pooler.dense.weight"] = .ones([32, 32])
        $0["classifier.weight"] = .ones([2, 32])
        $0["embeddings.position_ids"] = .zeros([1, 4], dtype: .int64)
      }
      try withTarget { target in
        let after = try exported(folder, folder.load().parameters, to: target)
        #expect(after["pooler.dense.weight"] != nil && after["embeddings.position_ids"]?.dtype == .int64)
        #expect(after["classifier.weight"] == nil)
      }
    }
  }

  @Test(arguments: [DType.float16, .float64, .bfloat16, .float32], [DType.float32, .bfloat16])
  func whatNobodyTrainedComesBackToTheBit(_ stored: DType, _ computed: DType) throws {
    try withCopy("llama-tied") { folder in
      // Thirds fill every bit of a float64.
      try folder.rewrite { $0 = $0.mapValues { ($0.to(.float64) / 3).to(stored) } }
      try withTarget { target in
        let before = try ModelDirectory(folder).tensors()
        let after = try exported(folder, load(folder, dtype: computed), to: target)
        for (name, tensor) in before {
          #expect(after[name]?.dtype == stored)
          #expect(bytes(after[name]) == bytes(tensor), "\(name)")
        }
      }
    }
  }

  @Test func normsOfTheOlderNamesKeepThem() throws {
    try withCopy("roberta-bert") { folder in
      let plain = try load(folder).snapshot().mapValues { $0.values() }
      try folder.rewrite { tensors in
        tensors = Dictionary(
          uniqueKeysWithValues: tensors.map { name, tensor in
            let older = name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
            return (older.replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta"), tensor)
          })
        tensors["cls.seq_relationship.bias"] = .zeros([2])
        tensors["bert.pooler.dense.bias"] = .zeros([24])
      }
      let parameters = try load(folder)
      #expect(parameters.snapshot().mapValues { $0.values() } == plain)
      for parameter in parameters.all { parameter.assign(parameter.master * 1.5) }
      try withTarget { target in
        let before = try ModelDirectory(folder).tensors(), after = try exported(folder, parameters, to: target)
        #expect(after.keys.sorted() == before.keys.sorted())
        for name in ["bert.embeddings.LayerNorm.gamma", "cls.predictions.transform.LayerNorm.beta"] {
          #expect(difference(try #require(after[name]), try #require(before[name]) * 1.5, atol: 0) == nil, "\(name)")
        }
      }
    }
  }

  @Test func aLargeModelGoesIntoShards() throws {
    try withCopy("llama-grouped") { folder in
      let parameters = try load(folder)
      try withTarget { target in
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        try Data().write(to: target.weights)
        let after = try exported(folder, parameters, shardSize: ShardSize("20KB"), to: target)
        let before = try ModelDirectory(folder).tensors()
        #expect(after.mapValues { $0.values() } == before.mapValues { $0.values() })
        #expect(!FileManager.default.fileExists(atPath: target.weights.path))
        struct Index: Decodable {
          let metadata: [String: Int], weight_map: [String: String]
        }
        let file = target.appendingPathComponent("model.safetensors.index.json")
        let index = try JSONDecoder().decode(Index.self, from: Data(contentsOf: file))
        #expect(index.metadata["total_size"] == before.values.reduce(0) { $0 + $1.byteCount })
        #expect(Set(index.weight_map.keys) == Set(before.keys))
        let names = Set(index.weight_map.values).sorted()
        #expect(names.count > 1 && names[0] == String(format: "model-00001-of-%05d.safetensors", names.count))
        for name in names {
          let tensors = try SafeTensorsFile(target.appendingPathComponent(name)).tensors()
          #expect(tensors.values.reduce(0) { $0 + $1.byteCount } <= 20_000)
          #expect(tensors.keys.allSatisfy { index.weight_map[$0] == name })
        }
        let again = try load(target)
        #expect(again.snapshot().mapValues { $0.values() } == parameters.snapshot().mapValues { $0.values() })
      }
    }
  }

  @Test func sizesAreReadAsHuggingFaceWritesThem() throws {
    #expect(try ShardSize("5GB") == .standard)
    #expect(try ShardSize("500 MB").bytes == 500_000_000)
    #expect(try ShardSize("1.5kib").bytes == 1536)
    for text in ["", "5", "GB", "-1GB", "5 potatoes", "infGB", "0MB", "1e30GB"] {
      let error = #expect(throws: ShardSizeError.self) { try ShardSize(text) }
      #expect(
        error?.description == "'\(text)' is no size of a file. Write a number with a unit, such as 5GB or 500MB "
          + "(KB, MB, GB; KiB, MiB, GiB).")
    }
  }

  @Test func theTokenizerThatTheModelReadsComesAlong() throws {
    try withModelFolder { folder in
      func write(_ text: String, _ name: String, _ place: URL) throws {
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place.appendingPathComponent(name))
      }
      let names = ["tokenizer.json", "vocab.txt", "chat_template.jinja"]
      for name in names + ["generation_config.json", "jay.json"] { try write("own", name, folder) }
      let parameters = try folder.load().parameters
      func files(_ tokenizer: ModelDirectory.OtherTokenizer?) throws -> [String: String] {
        try withTarget { target in
          _ = try exported(folder, parameters, tokenizer: tokenizer, to: target)
          let found = try FileManager.default.contentsOfDirectory(atPath: target.path)
          return try Dictionary(
            uniqueKeysWithValues: (found.filter { !$0.hasSuffix(".safetensors") && $0 != "config.json" }).map {
              ($0, try String(contentsOf: target.appendingPathComponent($0), encoding: .utf8))
            })
        }
      }
      #expect(
        try files(nil) == [
          "tokenizer.json": "own", "vocab.txt": "own", "chat_template.jinja": "own", "generation_config.json": "own",
        ])
      try withTarget { other in
        try write("other", "tokenizer.json", other)
        try write("other", "notes.txt", other)
        #expect(
          try files(.init(other, names: names)) == ["tokenizer.json": "other", "generation_config.json": "own"])
      }
    }
  }
}

/// Tied weights of which a checkpoint holds other values under two names.
@Suite struct UntiedCopiesTests {
  @Test func aDecodersOwnHeadIsRead() throws {
    func scores(_ folder: URL) throws -> Tensor {
      let model = try ModelIndex.loadCausal(folder, dtype: .float32, device: .cpu, seed: 0).model
      let tokens = Tensor([Int64(5), 6, 7], shape: [1, 3])
      return inference { model.logits(model.hidden(tokens, mask: nil, cache: nil, .evaluation), .evaluation) }
    }
    try withCopy("llama-tied") { folder in
      let tied = try scores(folder)
      try folder.rewrite { $0["lm_head.weight"] = $0["model.embed_tokens.weight"].map { $0 * 2 } }
      #expect(difference(try scores(folder), tied * 2, atol: 1e-5) == nil)
    }
  }

  @Test func anEncoderDecodersOwnHeadIsReadAtTheSameScale() throws {
    func scores(_ folder: URL) throws -> Tensor {
      let model = try ModelIndex.loadSequenceToSequence(folder, dtype: .float32, device: .cpu, seed: 0).model
      let tokens = Tensor([Int64(5), 6, 7], shape: [1, 3])
      return inference {
        let encoded = model.encode(tokens, mask: nil, .evaluation)
        return model.logits(model.decode(tokens, encoded: encoded, mask: nil, cache: nil, .evaluation), .evaluation)
      }
    }
    try withCopy("t5-tied") { folder in
      let tied = try scores(folder)
      try folder.rewrite { $0["lm_head.weight"] = $0["shared.weight"].map { $0 * 2 } }
      #expect(difference(try scores(folder), tied * 2, atol: 1e-5) == nil)
    }
  }

  @Test(arguments: [
    ("t5-tied", "decoder.embed_tokens.weight", "shared.weight"),
    ("roberta-bert", "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"),
    ("roberta-tiny", "lm_head.decoder.bias", "lm_head.bias"),
  ])
  func othersAreRefused(_ name: String, _ copy: String, _ original: String) throws {
    try withCopy(name) { folder in
      try folder.rewrite { $0[copy] = $0[original].map { $0 + 1 } }
      let error = #expect(throws: ModelError.self) { _ = try load(folder) }
      #expect(
        error?.description == "the weights in \(folder.path) hold '\(copy)' with other values than '\(original)', and "
          + "Jay has one weight for both. Take out the one that is not meant.")
      // An encoder that classifies does not read the head.
      if name.hasPrefix("roberta") { _ = try folder.load() }
    }
  }
}
