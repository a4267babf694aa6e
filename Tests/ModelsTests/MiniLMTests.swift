import Models
import NN
import TestSupport
import Testing
import Torch

/// The published weights against the reference: `Tools/golden/minilm.py`.
@Suite(.enabled(if: Golden.miniLM != nil, "MiniLM is absent: put its folder at .models/minilm or set JAY_MODELS"))
struct MiniLMTests {
  private let golden: [String: Tensor]
  private let model: EncoderClassifier

  init() throws {
    golden = try Golden.load("minilm/trace.safetensors")
    model = try ModelIndex.encoder(
      #require(Golden.miniLM), pooling: .mean, dropout: 0, dtype: .float32, device: .cpu, seed: 0)
    model.heads.add([0, 1, 2, 3])
    let head = model.heads.blocks[0].linear
    head.weight.assign(try #require(golden["head.weight"]))
    head.bias?.assign(try #require(golden["head.bias"]))
    for parameter in model.parameters.all { parameter.isTrainable = parameter.role == .backbone }
  }

  private func batch() throws -> DeviceBatch {
    let tokens = try #require(golden["input_ids"]), rows = tokens.size(0)
    let mask = try #require(golden["attention_mask"]).to(.float32)
    return DeviceBatch(
      tokens: tokens, segments: .zeros(tokens.shape, dtype: .int64), mask: mask,
      lengths: mask.sum(1).values().map { Int($0) },
      targets: try #require(golden["targets"]).scalars(Int64.self).map { Int($0) },
      experiences: Array(repeating: 0, count: rows), candidates: Array(repeating: 0, count: rows),
      candidateSets: [[0, 1, 2, 3]])
  }

  /// The rows of `value` that the golden keeps of a weight.
  private func kept(_ name: String, _ value: Tensor) throws -> Tensor {
    guard value.rank == 2 else { return value }
    if name.contains("word_embeddings") { return value.gathered(0, try #require(golden["word_rows"])) }
    return value.narrowed(0, 0..<min(8, value.size(0)))
  }

  @Test func hiddenStatesAndLogitsEqualTheReference() throws {
    let batch = try batch()
    let mask = try #require(batch.mask).unsqueezed(2)
    let hidden = inference { model.hidden(batch, .evaluation) * mask }
    #expect(difference(hidden, try #require(golden["last_hidden_state"]) * mask, atol: 1e-4) == nil)
    let logits = try #require(inference { model(batch, .evaluation) }.classes).values
    #expect(difference(logits, try #require(golden["logits"]), atol: 1e-5) == nil)
  }

  @Test func gradientsEqualTheReference() throws {
    model(try batch(), .evaluation).loss.backward()
    var compared = 0
    for (key, expected) in golden where key.hasPrefix("gradient.") {
      let name = String(key.dropFirst("gradient.".count))
      let gradient = try kept(name, #require(model.parameters[name]?.gradient, "no gradient for \(name)"))
      #expect(difference(gradient, expected, atol: 2e-6, rtol: 1e-3) == nil, "\(name)")
      compared += 1
    }
    #expect(compared == 53, "five of the embeddings, sixteen of each of three layers")
  }

  @Test func tenUpdatesEndWhereTheReferenceEnds() throws {
    var configuration = AdamW.Configuration()
    (configuration.weightDecay, configuration.decaysVectors) = (0.01, true)
    let optimizer = AdamW(configuration), batch = try batch()
    var losses: [Float] = []
    for _ in 0..<10 {
      model.parameters.clearGradients()
      let loss = model(batch, .evaluation).loss
      loss.backward()
      optimizer.update(model.parameters.trainable, rate: 1e-4, gradientScale: 1)
      losses.append(Float(loss.item()))
    }
    #expect(difference(Tensor(losses), try #require(golden["losses"]), atol: 1e-4) == nil)
    for (key, expected) in golden where key.hasPrefix("final.") {
      let name = String(key.dropFirst("final.".count))
      let value = try kept(name, #require(model.parameters[name]).master)
      #expect(difference(value, expected, atol: 1e-4) == nil, "\(name)")
    }
  }
}
