import Methods
import Models
import NN
import TestSupport
import Testing
import Torch

/// MIGU's masks on the three architectures, against the official rule computed apart.
@Suite struct MIGUModelTests {
  private func batch(_ tokens: Tensor, mask: Tensor?, labels: Tensor?, places: [Int64]) -> DeviceBatch {
    DeviceBatch(
      tokens: tokens, segments: .zeros(tokens.shape, dtype: .int64), mask: mask, lengths: [], labels: labels,
      labelPlaces: Tensor(places), targets: [], experiences: [], candidates: [], candidateSets: [])
  }

  /// Compares the masks of one training pass with the golden ones.
  private func check(_ model: any TaskModel, _ batch: DeviceBatch, _ golden: [String: Tensor], prefix: String = "")
    throws
  {
    for linear in model.parameters.linears { linear.output.isRecording = true }
    _ = model(batch, .training(Generator(seed: 0), keepsPadding: true))
    var compared = 0
    for linear in model.parameters.linears {
      guard let expected = golden[prefix + linear.weight.name] else { continue }
      let isMasked = MIGU.mask(try #require(linear.output.magnitude).values(), threshold: 0.7)
      #expect(isMasked.map { $0 ? 0 : 1 } == expected.scalars(Int64.self), "\(linear.weight.name)")
      compared += 1
    }
    #expect(compared == golden.keys.count { $0 != "ids" })
  }

  @Test func ofAnEncoderDecoderWithItsTiedHead() throws {
    let golden = try Golden.load("t5-tied/outputs.safetensors"), labels = try #require(golden["labels"])
    let loaded = try ModelIndex.loadSequenceToSequence(Golden.url("t5-tied"), dtype: .float32, device: .cpu, seed: 0)
    let model = Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [1])
    let masks = try Golden.load("t5-tied/migu.safetensors")
    #expect(masks["shared.weight"] != nil)
    try check(
      model,
      batch(
        try #require(golden["input_ids"]), mask: try #require(golden["attention_mask"]).to(.float32), labels: labels,
        places: []), masks)
  }

  @Test func ofADecoder() throws {
    let golden = try Golden.load("llama-grouped/migu.safetensors"), ids = try #require(golden["ids"])
    let loaded = try ModelIndex.loadCausal(Golden.url("llama-grouped"), dtype: .float32, device: .cpu, seed: 0)
    let model = CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [2])
    try check(
      model,
      batch(ids.narrowed(1, 0..<9), mask: nil, labels: ids.narrowed(1, 1..<10), places: (0..<27).map(Int64.init)),
      golden)
  }

  @Test func ofAnEncoder() throws {
    let golden = try Golden.load("roberta-tiny/outputs.safetensors")
    let loaded = try ModelIndex.loadMasked(Golden.url("roberta-tiny"), dtype: .float32, device: .cpu, seed: 0)
    let model = MaskedPredictor(loaded.model, parameters: loaded.parameters)
    try check(
      model,
      batch(
        try #require(golden["input_ids"]).narrowed(0, 0..<1), mask: nil,
        labels: try #require(golden["labels"]).narrowed(0, 0..<1), places: [1]),
      try Golden.load("roberta-tiny/migu.safetensors"), prefix: "roberta.")
  }
}
