import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct BERTTests {
  @Test func hiddenStatesAndGradientsEqualTheReference() throws {
    let golden = try Golden.load("bert-tiny/outputs.safetensors")
    let model = try Trace.model()
    let batch = try batch(golden)
    let hidden = model.hidden(batch, .evaluation)
    let mask = try #require(golden["attention_mask"]).to(.float32)
    #expect(
      difference(
        hidden * mask.unsqueezed(2), try #require(golden["last_hidden_state"]) * mask.unsqueezed(2), atol: 1e-5) == nil)
    for parameter in model.parameters.all { parameter.isTrainable = true }
    let loss = (model.hidden(batch, .evaluation) * (try #require(golden["probe"])) * mask.unsqueezed(2)).sum()
    loss.backward()
    var compared = 0
    for (key, expected) in golden where key.hasPrefix("gradient.") {
      let name = String(key.dropFirst("gradient.".count))
      let gradient = try #require(model.parameters[name]?.gradient, "no gradient for \(name)")
      #expect(difference(gradient, expected, atol: 1e-5, rtol: 1e-3) == nil, "\(name)")
      compared += 1
    }
    #expect(compared == model.parameters.all.filter { $0.role == .backbone }.count)
  }

  private func batch(_ golden: [String: Tensor]) throws -> DeviceBatch {
    let tokens = try #require(golden["input_ids"]), rows = tokens.size(0)
    return DeviceBatch(
      tokens: tokens, segments: try #require(golden["token_type_ids"]),
      mask: try #require(golden["attention_mask"]).to(.float32), lengths: [],
      targets: Array(repeating: 0, count: rows), experiences: Array(repeating: 0, count: rows),
      candidates: Array(repeating: 0, count: rows), candidateSets: [[0]])
  }
}
