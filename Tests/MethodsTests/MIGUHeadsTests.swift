import Continual
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

/// Which heads MIGU masks.
@Suite struct MIGUHeadsTests {
  /// The weights before and after the first update of the second experience, by SGD without momentum.
  private func firstUpdate(
    _ model: any TaskModel, _ data: [[TokenizedExample]], _ change: (inout MIGU.Configuration) -> Void
  ) throws -> (toy: Toy, before: [String: Tensor], after: [String: Tensor]) {
    let configuration = configured(MIGU.Configuration.self, change)
    let toy = try Toy(
      model, train: data,
      settings: { ($0.optimizer, $0.learningRate, $0.clipNorm, $0.maxUpdates) = (.sgd, 10, 0, 1) }
    ) { [Watcher($0, skipsFirst: true), MIGU(configuration, learner: $0)] }
    var before: [String: Tensor] = [:], after: [String: Tensor] = [:]
    toy.recorder.onBegin = { if $0 == 1 { before = toy.parameters.snapshot() } }
    toy.recorder.onUpdate = { _, _ in after = toy.parameters.snapshot() }
    try toy.trainer.run()
    toy.parameters.restore(before)
    return (toy, before, after)
  }

  private func sums(_ scores: Tensor) -> [Double] { scores.abs().sum(0).values().map(Double.init) }

  @Test(arguments: [false, true]) func classificationHeadsAreMaskedWhereAsked(_ isMasked: Bool) throws {
    let data = (0..<2).map { Toy.examples($0, seed: UInt64($0)) }
    let (toy, before, after) = try firstUpdate(try Trace.model(), data) { $0.maskHeads = isMasked }
    let name = "heads.1.weight", first = Array(data[1].prefix(4))
    let changed = changedRows(try #require(before[name]), try #require(after[name]))
    let features = try toy.features(first)
    // Of three rows the quantile lies at 1.4.
    let largest = topRows(
      sums(inference { toy.learner.classifier.heads.logits(of: [3, 4, 5], features: features) }), 1)
    #expect(changed == (isMasked ? largest : [0, 1, 2]))
    let bias = "heads.1.bias"
    #expect(changedRows(try #require(before[bias]), try #require(after[bias])).count == 3)
  }

  @Test(arguments: ["t5-tied", "llama-tied"], [true, false])
  func aHeadThatIsTheWordEmbeddingsIsMaskedUnlessNot(_ name: String, _ isMasked: Bool) throws {
    let data = (0..<2).map(Toy.answered)
    let (toy, before, after) = try firstUpdate(try PromptToy.model(name), data) { $0.maskTiedHead = isMasked }
    let head = try #require(toy.parameters.linears.first { $0.isTied }).weight.name
    let changed = changedRows(try #require(before[head]), try #require(after[head]))
    let model = try #require(toy.learner.model as? any PredictsTokens)
    let batch = toy.learner.deviceBatch(Batch(Array(data[1].prefix(4))))
    // Of 96 rows the quantile lies at 66.5, those behind it stay.
    let largest = topRows(sums(inference { model.labelScores(batch, .evaluation) }), 29)
    #expect(changed == (isMasked ? largest : Set(0..<96)))
    // The other layers are masked in both cases.
    let layers = toy.parameters.linears.filter { !$0.isTied }.map(\.weight.name)
    for layer in layers {
      let rows = changedRows(try #require(before[layer]), try #require(after[layer]))
      #expect(rows.count <= (try #require(before[layer])).size(0) / 3, "\(layer)")
    }
  }
}
