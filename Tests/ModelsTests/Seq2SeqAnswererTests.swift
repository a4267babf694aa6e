import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct Seq2SeqAnswererTests {
  private static let names = ["t5-tied", "t5-gated"]
  private static let lengths = [14, 9, 3]
  private static let options: [[Int32]] = [[7, 1], [9, 11, 1], [30, 31, 32, 1]]

  private func load(
    _ name: String
  ) throws -> (model: Seq2SeqAnswerer, outputs: [String: Tensor], answers: [String: Tensor]) {
    let loaded = try ModelIndex.loadSequenceToSequence(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
    return (
      Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1]),
      try Golden.load("\(name)/outputs.safetensors"), try Golden.load("\(name)/answers.safetensors")
    )
  }

  /// Rows of the golden's texts, without padding that none of them needs.
  private func batch(_ golden: [String: Tensor], rows: [Int], withLabels: Bool = false) throws -> DeviceBatch {
    let lengths = rows.map { Self.lengths[$0] }, length = lengths.max() ?? 0
    let index = Tensor(rows.map(Int64.init))
    let tokens = try #require(golden["input_ids"]).gathered(0, index).narrowed(1, 0..<length)
    let mask = try #require(golden["attention_mask"]).gathered(0, index).narrowed(1, 0..<length).to(.float32)
    return DeviceBatch(
      tokens: tokens, segments: .zeros(tokens.shape, dtype: .int64), mask: Set(lengths).count == 1 ? nil : mask,
      lengths: lengths, labels: withLabels ? try #require(golden["labels"]).gathered(0, index) : nil, targets: rows,
      experiences: rows, candidates: rows.map { _ in 0 }, candidateSets: [[]])
  }

  @Test(arguments: names) func theLossAndItsGradientsEqualTheReference(_ name: String) throws {
    let (model, golden, _) = try load(name)
    for parameter in model.parameters.all { parameter.isTrainable = true }
    let loss = model(try batch(golden, rows: [0, 1, 2], withLabels: true), .evaluation).loss
    #expect(difference(loss, try #require(golden["loss"]), atol: 1e-5) == nil)
    loss.backward()
    try expectGradients(model.parameters, golden)
  }

  @Test(arguments: names) func answersEqualTheReference(_ name: String) throws {
    let (model, golden, answers) = try load(name)
    let written = try #require(answers["written"])
    let expected = (0..<3).map { row in
      Array(written.at(0, row).scalars(Int64.self).map(Int32.init).prefix { $0 != 1 })
    }
    for rows in [[0, 1, 2], [1], [2, 0]] {
      let batch = try batch(golden, rows: rows)
      #expect(inference { model.generate(batch, maxTokens: 8) } == rows.map { expected[$0] }, "\(rows)")
    }
  }

  @Test(arguments: names) func scoresEqualTheReference(_ name: String) throws {
    let (model, golden, answers) = try load(name)
    let expected = try #require(answers["scores"])
    for rows in [[0, 1, 2], [1], [2, 0]] {
      let batch = try batch(golden, rows: rows)
      let scores = inference { model.score(batch, answers: Self.options) }
      #expect(difference(scores, expected.gathered(0, Tensor(rows.map(Int64.init))), atol: 1e-5) == nil, "\(rows)")
    }
  }
}
