import Models
import NN
import TestSupport
import Testing
import Torch

/// A tiny model that answers, and the texts of its goldens.
struct TinyAnswerer {
  static let llamas = ["llama-grouped", "llama-tied", "llama-scaled", "llama-window", "llama-qwen2", "llama-qwen3"]
  static let all = llamas + ["t5-tied", "t5-gated"]

  let model: any Generates
  private let tokens: Tensor
  private let lengths: [Int]

  init(_ name: String, endTokens: [Int32] = [2]) throws {
    if name.hasPrefix("t5") {
      let loaded = try ModelIndex.loadSequenceToSequence(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
      model = Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: endTokens)
      tokens = try #require(Golden.load("\(name)/outputs.safetensors")["input_ids"])
      lengths = [14, 9, 3]
    } else {
      let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
      model = CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: endTokens)
      tokens = try #require(Golden.load("\(name)/answers.safetensors")["prompts"])
      lengths = [6, 3, 5]
    }
  }

  /// Some of the three texts, padded on the right.
  func batch(_ rows: [Int] = [0, 1, 2]) -> DeviceBatch {
    let lengths = rows.map { self.lengths[$0] }, length = lengths.max() ?? 0
    let mask = lengths.flatMap { count in (0..<length).map { $0 < count ? Float(1) : 0 } }
    let picked = tokens.gathered(0, Tensor(rows.map(Int64.init))).narrowed(1, 0..<length)
    return DeviceBatch(
      tokens: picked, segments: .zeros(picked.shape, dtype: .int64),
      mask: Set(lengths).count == 1 ? nil : Tensor(mask, shape: picked.shape), lengths: lengths, targets: rows,
      experiences: rows, candidates: rows.map { _ in 0 }, candidateSets: [[]])
  }

  func write(_ settings: GenerationSettings, rows: [Int] = [0, 1, 2]) -> [GeneratedAnswer] {
    inference { model.generate(batch(rows), settings) }
  }

  /// A text of tokens in which each stands for itself: " 7 12".
  static func text(_ tokens: [Int32]) -> String { tokens.map { " \($0)" }.joined() }
}
