import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct DASTests {
  private func configuration(contrast: Double) -> DAS.Configuration {
    configured(DAS.Configuration.self) { ($0.examples, $0.batchSize, $0.contrast) = (16, 4, contrast) }
  }

  /// A trace with DAS whose importances are these from the start: of the first layer's units, 1 for the first head, the
  /// first two inner and the first outer neuron, and 0 for the others.
  private func forced(_ ones: Bool) throws -> (Trace, DAS) {
    var made: DAS?
    let trace = try Trace {
      let das = try DAS(self.configuration(contrast: 0), learner: $0)
      made = das
      return [das]
    }
    let das = try #require(made)
    for linear in trace.learner.parameters.linears where linear.weight.role == .backbone {
      let name = linear.weight.name
      guard name.hasSuffix("dense.weight") else { continue }
      let count = name.hasSuffix("attention.output.dense.weight") ? 4 : linear.outputs
      let held = name.contains("intermediate") ? 2 : 1
      das.state["importance"][name] = Tensor(
        (0..<count).map { ones && name.contains("layer.0.") && $0 < held ? Float(1) : 0 })
    }
    return (trace, das)
  }

  @Test func unitsOfFullImportanceDoNotMoveAndTheOthersMoveAsWithoutIt() throws {
    let (trace, _) = try forced(true)
    let before = trace.learner.parameters.snapshot()
    try trace.trainer.run()
    let after = trace.learner.parameters.snapshot()
    func moved(_ name: String) throws -> [Bool] {
      let (old, new) = (try #require(before[name]).values(), try #require(after[name]).values())
      return zip(old, new).map { $0 != $1 }
    }
    let layer = "encoder.layer.0."
    // The first of four heads is eight rows of the projections, and eight columns of what reads them.
    for part in ["query", "key", "value"] {
      let rows = try moved("\(layer)attention.self.\(part).weight")
      #expect(!rows[..<(8 * 32)].contains(true) && rows[(8 * 32)...].contains(true))
      #expect(try !moved("\(layer)attention.self.\(part).bias")[..<8].contains(true))
    }
    let output = try moved("\(layer)attention.output.dense.weight")
    for row in 0..<32 {
      #expect(
        !output[(32 * row)..<(32 * row + 8)].contains(true) && output[(32 * row + 8)..<(32 * row + 32)].contains(true))
    }
    let inner = try moved("\(layer)intermediate.dense.weight")
    #expect(!inner[..<64].contains(true) && inner[64...].contains(true))
    #expect(try !moved("\(layer)output.dense.weight")[..<64].contains(true))
    #expect(try moved("\(layer)output.dense.bias")[0] == false)
    #expect(try moved("embeddings.word_embeddings.weight").contains(true))
  }

  @Test func withoutImportanceItIsFineTuning() throws {
    let (trace, _) = try forced(false)
    let plain = try Trace { _ in [] }
    try trace.trainer.run()
    try plain.trainer.run()
    // The first experience: after it, importances are measured.
    #expect(trace.recorder.losses.prefix(5) == plain.recorder.losses.prefix(5))
    #expect(trace.recorder.losses != plain.recorder.losses)
  }

  /// The tiny BERT with dropout.
  private func droppingModel() throws -> EncoderClassifier {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Golden.writeDropping(0.2, to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try ModelIndex.encoder(folder, pooling: .mean, dropout: 0, dtype: .float32, device: .cpu, seed: 0)
  }

  @Test func aModelWithoutDropoutIsRefused() throws {
    let trace = try Trace { [try DAS(self.configuration(contrast: 0), learner: $0)] }
    #expect(throws: DASError.noDropout) { try trace.trainer.run() }
    #expect(
      "\(DASError.noDropout)"
        == "das tells what a model knows by what dropout changes, and this model has none: set hidden_dropout_prob in its "
        + "config.json (0.1, say), or choose another method.")
  }

  @Test func everyBatchOfTheGeneralImportanceIsDroppedAnew() throws {
    /// The importances before any training, of an experience that holds the same rows so many times.
    func general(times: Int) throws -> [String: Tensor] {
      let rows = Toy.examples(0, count: 4, seed: 3)
      let repeated = (0..<times).flatMap { _ in rows }
      let toy = try Toy(try droppingModel(), train: [repeated]) { _ in [] }
      let das = try DAS(configuration(contrast: 0), learner: toy.learner)
      let experience = toy.learner.stream.experiences[0]
      toy.learner.begin(experience)
      try das.willBegin(experience, learner: toy.learner)
      return das.state["importance"]
    }
    // With the same masks in every batch the sums would be four times as large, and the normalised ones the same.
    #expect(!areSame(try general(times: 1), try general(times: 4)))
  }

  @Test func theContrastReadsTheTextWithNothingHiddenAndItsThirdPassIsGated() throws {
    let toy = try Toy(try Trace.model(), train: [Toy.examples(0, seed: 5)]) { _ in [] }
    let learner = toy.learner, experience = learner.stream.experiences[0]
    learner.begin(experience)
    let das = try DAS(configuration(contrast: 1), learner: learner)
    let gates = UnitGates(learner.parameters, heads: try #require(learner.model as? any Encodes).attentionHeads)
    var random = Generator(seed: 1)
    for gate in gates.gates {
      das.state["importance"][gate.name] = .uniform([gate.count], 0..<1, &random)
    }
    let whole = learner.data(of: experience).train
    let hidden = whole.map { example in
      var example = example
      (example.answer, example.places) = ([example.tokens[2]], [2])
      example.tokens[2] = 4
      return example
    }
    let step = Step(index: 0, total: 1, experience: experience, learner: learner)
    let text = learner.deviceBatch(Batch(whole)), batch = maskedBatch(text, hidden)
    let output = learner.model(text, .evaluation)
    let penalty = try #require(das.penalty(output, batch, at: step)).item()
    // Without dropout the first two passes are one.
    func features(_ values: [Tensor]) -> Tensor {
      let h = gates.with(values) { learner.classifier.features(text, .evaluation) }
      return h / h.norm(2, over: [1], keep: true)
    }
    let h = features(gates.gates.map { .ones([$0.count]) })
    let gated = features(gates.gates.compactMap { das.state["importance"][$0.name] })
    #expect(abs(penalty - DAS.contrast(h, h, gated, temperature: 0.05).item()) < 1e-4)
    #expect(abs(penalty - DAS.contrast(h, h, h, temperature: 0.05).item()) > 1e-3)
  }

  /// A batch of texts in which some tokens are hidden, the tokens themselves being its labels.
  private func maskedBatch(_ text: DeviceBatch, _ hidden: [TokenizedExample]) -> DeviceBatch {
    let width = text.tokens.size(1)
    var labels = [Int64](repeating: -100, count: hidden.count * width)
    for (row, example) in hidden.enumerated() { labels[row * width + 2] = Int64(example.answer[0]) }
    let shape = [hidden.count, width]
    return text.reading(
      Tensor(hidden.flatMap { $0.tokens.map(Int64.init) }, shape: shape), labels: Tensor(labels, shape: shape))
  }

  @Test func importanceIsNormalisedInItsLayer() {
    let raw = Tensor([Float(1), 2, 3, 6])
    // Mean 3, sample deviation √(14/3).
    let deviation = (14.0 / 3).squareRoot()
    let expected = [-2.0, -1, 0, 3].map { Float(abs(tanh($0 / deviation))) }
    #expect(difference(DAS.normalised(raw), Tensor(expected), atol: 1e-6) == nil)
    #expect(DAS.normalised(Tensor([Float(2), 2, 2])).values() == [0, 0, 0])
  }

  @Test func importanceOnlyGrowsAndStaysBelowOne() throws {
    var made: DAS?
    let trace = try Trace(on: droppingModel()) {
      let das = try DAS(self.configuration(contrast: 0), learner: $0)
      made = das
      return [das]
    }
    let das = try #require(made), learner = trace.learner
    try trace.trainer.run()
    let first = das.state["importance"]
    #expect(first.count == 6)
    for value in first.values { #expect(value.values().allSatisfy { (0..<1).contains($0) }) }
    #expect(first.values.contains { $0.values().contains { $0 > 0.5 } })
    // Measured again at the same weights nothing changes.
    try das.didEnd(learner.stream.experiences[1], learner: learner)
    let second = das.state["importance"]
    for (name, value) in first { #expect(try #require(second[name]).values() == value.values()) }
    try das.didEnd(learner.stream.experiences[0], learner: learner)
    for (name, value) in second {
      #expect(zip(try #require(das.state["importance"][name]).values(), value.values()).allSatisfy { $0 >= $1 })
    }
  }

  @Test func theContrastHasEveryOtherTextInItsDenominator() {
    func rows(_ values: [[Float]]) -> Tensor { Tensor(values.flatMap { $0 }, shape: [2, 2]) }
    let h1: [[Float]] = [[1, 0], [0, 1]], h2: [[Float]] = [[0.8, 0.6], [0, 1]], h3: [[Float]] = [[0.6, 0.8], [-1, 0]]
    let expected = (0..<2).map { n -> Double in
      func term(_ other: [Float]) -> Double { exp(Double(h1[n][0] * other[0] + h1[n][1] * other[1]) / 0.05) }
      return -log(term(h2[n]) / (term(h2[0]) + term(h2[1]) + term(h3[0]) + term(h3[1])))
    }
    let loss = DAS.contrast(rows(h1), rows(h2), rows(h3), temperature: 0.05)
    #expect(abs(Double(loss.item()) - (expected[0] + expected[1]) / 2) < 1e-5)
  }

  @Test func gatesOfOneChangeNothing() throws {
    let model = try Trace.model()
    let trace = try Trace { _ in [] }
    let batch = trace.learner.deviceBatch(
      Batch(Array(trace.learner.data(of: trace.learner.stream.experiences[0]).train[..<4])))
    let before = inference { model.features(batch, .evaluation) }
    let gates = UnitGates(model.parameters, heads: model.attentionHeads)
    let gated = inference {
      gates.with(gates.gates.map { .ones([$0.count]) }) { model.features(batch, .evaluation) }
    }
    #expect(difference(gated, before, atol: 1e-6) == nil)
    #expect(difference(inference { model.features(batch, .evaluation) }, before, atol: 0) == nil)
    let halved = inference {
      gates.with(gates.gates.map { .full([$0.count], 0.5) }) { model.features(batch, .evaluation) }
    }
    #expect(difference(halved, before, atol: 1e-2) != nil)
  }

  @Test func aModelWithoutUnitsIsRefused() {
    #expect(
      "\(TrainingError.needsEncoder(method: "das"))"
        == "'das' works on the units of an encoder, and this model is none. Choose a BERT or RoBERTa, or another method."
    )
  }
}
