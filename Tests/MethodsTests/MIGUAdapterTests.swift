import Adapters
import Continual
import Evaluation
import Methods
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

/// MIGU with LoRA on each family: which rows of A and B keep their gradients, against sums that are taken apart from it.
@Suite struct MIGUAdapterTests {
  enum Kind: CaseIterable { case lora, incLoRA, oLoRA }

  private func model(_ name: String) throws -> any TaskModel {
    guard name == "roberta-tiny" else { return try PromptToy.model(name) }
    return try ModelIndex.encoder(
      Golden.url(name), pooling: .mean, dropout: 0, dtype: .float32, device: .cpu, seed: 0)
  }

  /// Rank 8, no dropout, for a mask of it would be seen by A alone.
  private func method(_ kind: Kind, _ learner: Learner) -> any ContinualMethod {
    switch kind {
    case .lora: SequentialLoRA(configured { ($0.rank, $0.dropout) = (8, 0) }, learner: learner)
    case .incLoRA: IncLoRA(configured { ($0.rank, $0.dropout) = (8, 0) }, learner: learner)
    case .oLoRA: OLoRA(configured { ($0.rank, $0.dropout) = (8, 0) }, learner: learner)
    }
  }

  @Test(arguments: ["t5-tied", "roberta-tiny", "llama-grouped"], Kind.allCases)
  func theRowsOfTheLargestSumsKeepTheirGradients(_ name: String, _ kind: Kind) throws {
    for accumulation in [1, 2] {
      let toy = try Toy(
        try model(name), train: (0..<2).map(Toy.answered),
        settings: { ($0.batchSize, $0.accumulation) = (4 / accumulation, accumulation) }
      ) { [method(kind, $0), MIGU(.init(), learner: $0), MaskWatcher(.init(), learner: $0)] }
      try toy.trainer.run()
      let watcher = try #require(toy.trainer.methods[2] as? MaskWatcher)
      #expect(watcher.disagreements == [])
      // Four updates of the second experience; A has no gradient as long as B is zero.
      let layers = toy.parameters.linears.count { $0.attachments.contains { $0 is LoRA } }
      #expect(layers >= 4 && watcher.compared.b == 4 * layers && watcher.compared.a >= 3 * layers)
    }
  }
}

extension Toy {
  /// Texts of six tokens with answers of three: nothing is padded.
  static func answered(_ experience: Int) -> [TokenizedExample] {
    examples(experience, seed: UInt64(experience) + 3).enumerated().map { index, example in
      var example = example
      example.answer = [[7, 30, 1], [9, 11, 1], [50, 8, 1]][index % 3]
      return example
    }
  }
}

/// Stands behind MIGU in the list and compares the gradients that it left.
private final class MaskWatcher: ContinualMethod {
  static let card = MethodCard(
    name: "mask-watcher", summary: "compares masks", family: .reference, paper: Citation("none"))
  var state = MethodState()
  /// Parameters whose gradients were not in the rows they should be in.
  private(set) var disagreements: [String] = []
  private(set) var compared = (a: 0, b: 0)
  private var layers: [LayerSums] = []

  init(_ configuration: NoConfiguration, learner: Learner) {}

  func prepare(_ experience: Experience, learner: Learner) {
    layers = []
    for linear in learner.parameters.linears {
      linear.detach { $0 is LayerSums }
      guard let newest = linear.attachments.last as? LoRA else { continue }
      let sums = LayerSums(newest)
      linear.attach(sums)
      layers.append(sums)
    }
  }

  func willUpdate(_ parameters: [Parameter], at step: Step) {
    for layer in layers {
      guard let sums = layer.take(), step.experience.index > 0 else { continue }
      compared.a += compare(layer.lora.a, sums.a)
      compared.b += compare(layer.lora.b, sums.b)
    }
  }

  /// 1 where there was a gradient to compare.
  private func compare(_ parameter: Parameter, _ sums: Tensor) -> Int {
    let isKept = parameter.gradient?.norm(1, over: [1]).values().map { $0 > 0 } ?? []
    guard isKept.contains(true) else { return 0 }
    if isKept != Self.kept(sums.values()) { disagreements.append(parameter.name) }
    return 1
  }

  /// The rows at or above the 0.7-quantile with linear interpolation.
  private static func kept(_ sums: [Float]) -> [Bool] {
    let sorted = sums.map(Double.init).sorted(), position = 0.7 * Double(sums.count - 1)
    let low = Int(position.rounded(.down)), high = Int(position.rounded(.up))
    let threshold = sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    return sums.map { Double($0) >= threshold }
  }
}

/// Attached behind an adapter: Σ|x·Aᵀ| of it, and Σ|o| of the layer with all that is attached to it.
private final class LayerSums: NN.Attachment {
  let lora: LoRA
  var isEnabled = true
  let parameters: [Parameter] = []
  let rowWeights: [RowWeight] = []
  private var sums: (a: Tensor, b: Tensor)?

  init(_ lora: LoRA) { self.lora = lora }

  func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    guard mode.isTraining else { return y }
    withoutGradient {
      let low = x.matmul(lora.a.value.t).abs().reshaped(-1, lora.a.shape[0]).sum(0)
      let output = y.abs().reshaped(-1, y.size(-1)).sum(0)
      sums = sums.map { ($0.a + low, $0.b + output) } ?? (low, output)
    }
    return y
  }

  /// The sums since the last call; nil where the layer did not run.
  func take() -> (a: Tensor, b: Tensor)? {
    defer { sums = nil }
    return sums
  }
}
