import Foundation
import Models
import NN
import TestSupport
import Testing
import Torch

/// Models to look at with `Tools/golden/check_export.py`: below the folder JAY_EXPORTS, for each the original, what Jay
/// exports of it after a change of all weights, and the scores that Jay gives with them.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["JAY_EXPORTS"] != nil, "set JAY_EXPORTS to write the folders"))
struct ExportedFoldersTests {
  private static let names = [
    "t5-tied", "t5-gated", "llama-tied", "llama-grouped", "llama-qwen3", "roberta-tiny", "roberta-bert",
  ]

  @Test(arguments: names) func write(_ name: String) throws {
    try write(name, as: name) { tensors in
      for (original, names) in copies[name] ?? [:] {
        for copy in names { tensors[copy] = tensors[original]?.clone() }
      }
    }
  }

  @Test(arguments: ["t5-tied", "llama-tied"]) func writeWithAHeadOfItsOwn(_ name: String) throws {
    let words = name == "t5-tied" ? "shared.weight" : "model.embed_tokens.weight"
    try write(name, as: "\(name)-own-head") { $0["lm_head.weight"] = $0[words].map { $0 * 0.5 + 0.1 } }
  }

  @Test func writeAGatedModelWithoutAHead() throws {
    try write("t5-gated", as: "t5-gated-no-head") { $0["lm_head.weight"] = nil }
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func writeInShards(_ name: String) throws {
    try write(name, as: "\(name)-shards", shardSize: ShardSize("20KB")) { _ in }
  }

  @Test func writeWithOlderNames() throws {
    try write("roberta-bert", as: "bert-older") { tensors in
      tensors = Dictionary(
        uniqueKeysWithValues: tensors.map { name, tensor in
          let older = name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
          return (older.replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta"), tensor)
        })
    }
  }

  private func write(
    _ name: String, as title: String, shardSize: ShardSize = .standard, _ change: (inout [String: Tensor]) -> Void
  ) throws {
    let root = try #require(ProcessInfo.processInfo.environment["JAY_EXPORTS"])
    let folder = URL(fileURLWithPath: root).appendingPathComponent(title)
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let original = folder.appendingPathComponent("original"), target = folder.appendingPathComponent("exported")
    try withCopy(name) { copy in
      try copy.rewrite(change)
      try FileManager.default.copyItem(at: copy, to: original)
    }
    let tokens = Tensor([Int64(5), 6, 7, 50, 8, 9], shape: [2, 3])
    let (parameters, scores) = try model(original, tokens)
    for parameter in parameters.all { parameter.assign(parameter.master * 1.25 + 0.01) }
    try ModelDirectory(original).export(parameters.lazyMergedBackbone(), to: target, shardSize: shardSize)
    #expect(difference(try model(target, tokens).1(), scores(), atol: 1e-5) == nil)
    try SafeTensorsWriter.write(
      ["input_ids": tokens, "logits": scores()], to: folder.appendingPathComponent("scores.safetensors"))
  }

  /// The model of a folder, and the scores that it gives then.
  private func model(_ folder: URL, _ tokens: Tensor) throws -> (ParameterStore, () -> Tensor) {
    switch try ModelIndex.family(ModelDirectory(folder).architecture) {
    case .encoder:
      let loaded = try ModelIndex.loadMasked(folder, dtype: .float32, device: .cpu, seed: 0), model = loaded.model
      let batch = DeviceBatch(
        tokens: tokens, segments: .zeros(tokens.shape, dtype: .int64), mask: nil, lengths: [3, 3], targets: [0, 0],
        experiences: [0, 0], candidates: [0, 0], candidateSets: [[0]])
      return (loaded.parameters, { inference { model.logits(model.hidden(batch, .evaluation), .evaluation) } })
    case .decoder:
      let loaded = try ModelIndex.loadCausal(folder, dtype: .float32, device: .cpu, seed: 0), model = loaded.model
      return (
        loaded.parameters,
        { inference { model.logits(model.hidden(tokens, mask: nil, cache: nil, .evaluation), .evaluation) } }
      )
    case .encoderDecoder:
      let loaded = try ModelIndex.loadSequenceToSequence(folder, dtype: .float32, device: .cpu, seed: 0)
      let model = loaded.model
      return (
        loaded.parameters,
        {
          inference {
            let encoded = model.encode(tokens, mask: nil, .evaluation)
            let hidden = model.decode(tokens, encoded: encoded, mask: nil, cache: nil, .evaluation)
            return model.logits(hidden, .evaluation)
          }
        }
      )
    }
  }
}
