import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct CausalAnswererTests {
  private static let variants = [
    "llama-grouped", "llama-tied", "llama-scaled", "llama-window", "llama-qwen2", "llama-qwen3",
  ]
  private static let lengths = [6, 3, 5]
  private static let options: [[Int32]] = [[7, 2], [9, 11, 2], [30, 31, 32, 2]]

  private func load(_ name: String) throws -> (CausalAnswerer, [String: Tensor]) {
    let loaded = try ModelIndex.loadCausal(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    return (
      CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [2]),
      try Golden.load("\(name)/answers.safetensors")
    )
  }

  /// Rows of prompts, padded on the right.
  private func batch(_ prompts: Tensor, rows: [Int], labels: (tokens: Tensor, places: Tensor)? = nil) -> DeviceBatch {
    let lengths = rows.map { Self.lengths[$0] }, length = lengths.max() ?? 0
    let mask = lengths.flatMap { count in (0..<length).map { $0 < count ? Float(1) : 0 } }
    let tokens = prompts.gathered(0, Tensor(rows.map(Int64.init))).narrowed(1, 0..<length)
    return DeviceBatch(
      tokens: tokens, segments: .zeros(tokens.shape, dtype: .int64),
      mask: Set(lengths).count == 1 ? nil : Tensor(mask, shape: tokens.shape), lengths: lengths,
      labels: labels?.tokens, labelPlaces: labels?.places, targets: rows, experiences: rows,
      candidates: rows.map { _ in 0 }, candidateSets: [[]])
  }

  @Test(arguments: Self.variants) func answersEqualTheReference(_ name: String) throws {
    let (model, golden) = try load(name)
    let written = try #require(golden["written"]), prompts = try #require(golden["prompts"])
    let expected = (0..<3).map { row in
      Array(written.at(0, row).scalars(Int64.self).map(Int32.init).prefix { $0 != 2 && $0 != 0 })
    }
    for rows in [[0, 1, 2], [1], [2, 0]] {
      let answers = inference { model.generate(batch(prompts, rows: rows), maxTokens: 8) }
      #expect(answers == rows.map { expected[$0] }, "\(rows)")
    }
  }

  @Test(arguments: Self.variants) func scoresEqualTheReference(_ name: String) throws {
    let (model, golden) = try load(name)
    let expected = try #require(golden["scores"])
    for rows in [[0, 1, 2], [1], [2, 0]] {
      let scores = try inference {
        model.score(batch(try #require(golden["prompts"]), rows: rows), answers: Self.options)
      }
      #expect(difference(scores, expected.gathered(0, Tensor(rows.map(Int64.init))), atol: 1e-5) == nil, "\(rows)")
    }
  }

  /// The loss of one answer is its score, negated.
  @Test func theLossIsTheMeanOverTheAnswersTokens() throws {
    let (model, golden) = try load("llama-grouped")
    let prompt = try #require(golden["prompts"]).at(0, 1).scalars(Int64.self).prefix(3)
    let answer = Self.options[1].map(Int64.init)
    let tokens = Tensor(prompt + answer.dropLast(), shape: [1, 5])
    let labels = Tensor([-100, -100] + answer, shape: [1, 5])
    let batch = DeviceBatch(
      tokens: tokens, segments: .zeros([1, 5], dtype: .int64), mask: nil, lengths: [5], labels: labels,
      labelPlaces: Tensor([2, 3, 4] as [Int64]), targets: [0], experiences: [0], candidates: [0], candidateSets: [[]])
    let loss = inference { model(batch, .evaluation).loss }
    let expected = -(try #require(golden["scores"]).at(0, 1).at(0, 1).item())
    #expect(abs(loss.item() - expected) < 1e-5)
  }
}
