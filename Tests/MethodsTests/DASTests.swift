import Continual
import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

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
    let trace = try Trace {
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
    das.didEnd(learner.stream.experiences[1], learner: learner)
    let second = das.state["importance"]
    for (name, value) in first { #expect(try #require(second[name]).values() == value.values()) }
    das.didEnd(learner.stream.experiences[0], learner: learner)
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
