import Adapters
import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct MoCLTests {
  private func toy(
    experiences: Int = 3, settings: (inout TrainingSettings) -> Void = { _ in },
    configuration change: (inout MoCL.Configuration) -> Void = { _ in }
  ) throws -> (Toy, MoCL) {
    var method: MoCL?
    let train = (0..<experiences).map { Toy.examples($0, seed: UInt64($0)) }
    let toy = try Toy(try Trace.model(), train: train, settings: settings) { learner in
      let configuration = configured(MoCL.Configuration.self) {
        ($0.rank, $0.alpha, $0.dropout) = (4, 8, 0)
        change(&$0)
      }
      let made = MoCL(configuration, learner: learner)
      method = made
      return [made]
    }
    return (toy, try #require(method))
  }

  /// cos(h, v) in plain arithmetic, `h` from a model without adapters.
  private func cosines(_ examples: [TokenizedExample], _ toy: Toy, _ vectors: [Tensor]) throws -> [[Double]] {
    let bare = try Trace.model(), batch = toy.learner.deviceBatch(Batch(examples))
    let features = inference { bare.features(batch, .evaluation) }
    return (0..<examples.count).map { row in
      let h = features.at(0, row).values().map(Double.init)
      return vectors.map { vector in
        let v = vector.values().map(Double.init)
        func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
        return dot(h, v) / (dot(h, h) * dot(v, v)).squareRoot()
      }
    }
  }

  private func expected(_ cosines: [[Double]], _ weights: MoCL.Weights) -> [[Double]] {
    if weights == .cosine { return cosines }
    return cosines.map { row in
      let sum = row.reduce(0) { $0 + exp(8 * $1) }
      return row.map { exp(8 * $0) / sum }
    }
  }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try LoRATrace("mocl") {
      MoCL(configured { ($0.rank, $0.alpha, $0.dropout, $0.strength) = (4, 8, 0, 0.5) }, learner: $0)
    }
    #expect(try trace.disagreements() == [])
  }

  @Test(arguments: MoCL.Weights.allCases) func theWeightsAreThoseOfTheCosines(_ weights: MoCL.Weights) throws {
    let (toy, method) = try toy(configuration: { $0.weights = weights })
    try toy.trainer.run()
    let texts = Toy.examples(1, count: 4, seed: 9)
    let all = expected(try cosines(texts, toy, method.vectors.map(\.master)), weights)
    let batch = toy.learner.announced(Batch(texts), to: [method])
    let found = try #require(method.weights)
    #expect(difference(found.detached(), Tensor(all.joined().map(Float.init), shape: [4, 3]), atol: 1e-5) == nil)
    #expect(Set(found.values()).count > 8)

    let mixture = try #require(method.mixtures.first)
    var random = Generator(seed: 2)
    let x = Tensor.normal([4, 6, 32], &random), y = Tensor.normal([4, 6, 32], &random)
    withoutGradient {
      var sum = y
      for (index, lora) in mixture.loras.enumerated() {
        let own = Tensor(all.map { Float($0[index]) }, shape: [4, 1, 1])
        sum = sum + x.matmul(lora.product.t) * own
      }
      #expect(difference(mixture(x, y, .evaluation), sum, atol: 1e-5) == nil)
    }
    #expect(batch.rows == 4)
  }

  @Test func aTaskThatIsToldWeighsTheAdaptersUpToItsOwn() throws {
    let (toy, method) = try toy()
    let texts = Toy.examples(0, count: 4, seed: 9)
    func features(_ experience: Int?) throws -> [Float] {
      try method.predicting(experience, learner: toy.learner) {
        let batch = toy.learner.announced(Batch(texts), to: [method])
        #expect(method.weights?.size(1) == experience.map { $0 + 1 } ?? 3)
        return inference { toy.learner.classifier.features(batch, .evaluation).values() }
      }
    }
    var ends: [[Float]] = []
    toy.recorder.onEnd = { ends.append(try features($0.progress.experience - 1)) }
    try toy.trainer.run()
    for experience in 0..<3 { #expect(try features(experience) == ends[experience]) }
    #expect(ends[0] != ends[1])
    #expect(try features(nil) == ends[2])
  }

  @Test func oneAdapterIsLoRAWhoseVectorTurnsToTheTexts() throws {
    let texts = Toy.examples(0, seed: 0)
    let (toy, method) = try toy(experiences: 1, settings: { $0.clipNorm = 0 }, configuration: { $0.strength = 0.5 })
    var start: [Tensor] = []
    toy.recorder.onBegin = { _ in start = method.vectors.map { $0.master.clone() } }
    try toy.trainer.run()
    let plain = try Toy(try Trace.model(), train: [texts], settings: { $0.clipNorm = 0 }) {
      [IncLoRA(configured { ($0.rank, $0.alpha, $0.dropout) = (4, 8, 0) }, learner: $0)]
    }
    try plain.trainer.run()
    let trained = plain.parameters.snapshot(), mixed = toy.parameters.snapshot()
    for (name, value) in trained {
      #expect(difference(try #require(mixed[name]), value, atol: 1e-5) == nil, "\(name)")
    }
    // The first update's texts are the first four.
    let before = try cosines(texts, toy, start).map { $0[0] },
      after = try cosines(texts, toy, method.vectors.map(\.master)).map { $0[0] }
    let likeness = before.prefix(4).reduce(0, +) / 4, gap = toy.recorder.losses[0] - plain.recorder.losses[0]
    #expect(abs(gap - 0.5 * (1 - likeness)) < 1e-5)
    #expect(zip(before, after).allSatisfy { $0 < $1 })
  }

  @Test func earlierAdaptersAndVectorsAreFrozenToTheBit() throws {
    // Without the last term the new vector learns from the loss alone.
    let (toy, _) = try toy(configuration: { $0.strength = 0 })
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot { $0.role == .adapter }) }
    try toy.trainer.run()
    let final = toy.parameters.snapshot { $0.role == .adapter }
    for index in 0..<2 {
      let earlier = starts[index + 1].filter { $0.key.contains(".lora.\(index).") || $0.key == "mocl.vector.\(index)" }
      #expect(earlier.count == 9)
      #expect(areSame(earlier, final.filter { earlier.keys.contains($0.key) }))
    }
    for index in 1..<3 {
      let name = "mocl.vector.\(index)"
      #expect(starts[index][name]?.values() != final[name]?.values())
      #expect(starts[index][name]?.values().allSatisfy { (0..<1).contains($0) } == true)
    }
  }

  @Test func anUntoldClassIsOneOfTheExperienceOfTheLargestCosine() throws {
    var method: MoCL?
    let train = (0..<3).map { ApartToy.examples($0, seed: UInt64($0), target: $0 * 3) }
    let toy = try Toy(try Trace.model(), train: train, knowsTask: false) { learner in
      let made = MoCL(configured { $0.rank = 4 }, learner: learner)
      method = made
      return [made]
    }
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot { $0.role == .head }) }
    try toy.trainer.run()
    let mocl = try #require(method), texts = train.flatMap { $0.prefix(8) }
    let largest = try cosines(texts, toy, mocl.vectors.map(\.master)).map { row in
      row.indices.max { row[$0] < row[$1] } ?? -1
    }
    let answers = try toy.learner.predict(texts, methods: [mocl], settings: toy.trainer.evaluation)
    #expect(answers.map { $0 / 3 } == largest)
    #expect(Set(largest).count > 1)
    // In training too a text's class is one of its own experience: the other heads stay as they are.
    let final = toy.parameters.snapshot { $0.role == .head }
    for (name, start) in starts[2] { #expect((start.values() == final[name]?.values()) == !name.contains("heads.2")) }
  }

  @Test func partsOfABatchAreWeighedEachByItsOwnTexts() throws {
    let losses = try [(4, 1), (2, 2)].map { rows, parts -> [Double] in
      let (toy, _) = try toy(settings: { ($0.batchSize, $0.accumulation) = (rows, parts) })
      try toy.trainer.run()
      return toy.recorder.losses
    }
    #expect(losses[0].count == 12)
    #expect(zip(losses[0], losses[1]).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func languageModelsWeighEachTextAlone(_ name: String) throws {
    var method: MoCL?
    let train = (0..<2).map { PromptToy.examples($0) }
    let toy = try Toy(try PromptToy.model(name), train: train, knowsTask: false) { learner in
      let made = MoCL(configured { ($0.rank, $0.targets) = (4, ["all"]) }, learner: learner)
      method = made
      return [made]
    }
    try toy.trainer.run()
    let mocl = try #require(method), model = try #require(toy.learner.model as? any Generates)
    func scores(_ texts: [TokenizedExample]) throws -> Tensor {
      try mocl.predicting(nil, learner: toy.learner) {
        let batch = toy.learner.announced(Batch(texts), withAnswers: false, to: [mocl])
        return inference { model.score(batch, answers: PromptToy.answers) }
      }
    }
    let texts = train[0], together = try scores(texts)
    for (row, text) in texts.enumerated() {
      #expect(difference(try scores([text]).at(0, 0), together.at(0, row), atol: 1e-5) == nil)
    }
  }

  @Test func aHeadForWordsIsLeftOutOrRefused() throws {
    func toy(_ targets: [String]) throws -> Toy {
      try Toy(try PromptToy.model("llama-grouped"), train: [PromptToy.examples(0)]) {
        [MoCL(configured { $0.targets = targets }, learner: $0)]
      }
    }
    let whole = try toy(["all"])
    try whole.trainer.run()
    #expect(whole.parameters["model.layers.0.mlp.up_proj.lora.0.a"] != nil)
    #expect(whole.parameters["lm_head.weight"] != nil && whole.parameters["lm_head.lora.0.a"] == nil)
    let error = #expect(throws: AdapterError.self) { try toy(["q_proj", "lm_head"]).trainer.run() }
    #expect(
      error?.errorDescription
        == "the layer 'lm_head' reads single tokens, and this method adapts each text in its own way. "
        + "Leave it out of targets.")
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingDifferences { [MoCL(.init(), learner: $0), MIGU(.init(), learner: $0)] } == [])
  }
}
