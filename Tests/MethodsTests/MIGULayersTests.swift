import Adapters
import Continual
import Evaluation
import Methods
import NN
import Testing
import Torch

@testable import TestSupport

/// MIGU on some of the layers: the paper's ablation.
@Suite struct MIGULayersTests {
  /// How many rows of each weight of the encoder's layers the first update of the second experience changes.
  private func changedRows(_ layers: [String]) throws -> [String: (changed: Int, of: Int)] {
    let data = (0..<2).map { Toy.examples($0, seed: UInt64($0)) }
    let configuration = configured(MIGU.Configuration.self) { $0.layers = layers }
    let toy = try Toy(try Trace.model(), train: data, settings: { ($0.optimizer, $0.clipNorm) = (.sgd, 0) }) {
      [MIGU(configuration, learner: $0)]
    }
    var start: [String: Tensor] = [:], first: [String: Tensor] = [:]
    let snapshot = { toy.parameters.snapshot { $0.name.contains("encoder.") && $0.name.hasSuffix(".weight") } }
    toy.recorder.onBegin = { if $0 == 1 { start = snapshot() } }
    toy.recorder.onUpdate = { trainer, _ in if trainer.learner.current == 1, first.isEmpty { first = snapshot() } }
    try toy.trainer.run()
    return start.reduce(into: [:]) { result, entry in
      guard let after = first[entry.key], entry.value.rank == 2 else { return }
      result[entry.key] = (MethodsTests.changedRows(entry.value, after).count, entry.value.size(0))
    }
  }

  @Test func onlyTheNamedLayersAreMasked() throws {
    let rows = try changedRows(["query", "intermediate.dense"])
    #expect(rows.contains { $0.key.hasSuffix("query.weight") } && rows.contains { $0.key.hasSuffix("value.weight") })
    for (name, row) in rows {
      let isMasked = name.hasSuffix("query.weight") || name.hasSuffix("intermediate.dense.weight")
      #expect(isMasked ? row.changed < row.of / 2 : row.changed > row.of / 2, "\(name): \(row)")
    }
  }

  @Test func allMeansWhatNoneMeansWhereNoHeadIsTied() throws {
    let all = try changedRows(["all"]), none = try changedRows([])
    #expect(!all.isEmpty && all.mapValues(\.changed) == none.mapValues(\.changed))
  }

  @Test func aLayerThatIsNotThereIsNamed() throws {
    let error = #expect(throws: AdapterError.self) { _ = try changedRows(["wi"]) }
    let sentence = "no layer's name ends in 'wi'. Set layers to the ends of some of these names, or to [all]: "
    #expect(error?.errorDescription?.hasPrefix(sentence) == true)
  }
}
