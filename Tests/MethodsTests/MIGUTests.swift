import Continual
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Methods

@Suite struct MIGUTests {
  /// The reference sums over padding too.
  private let asTheReference = configured(MIGU.Configuration.self) { $0.countPadding = true }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [MIGU(asTheReference, learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "migu") == [])
  }

  @Test func sumsTheStatisticOverAccumulatedBatches() throws {
    let trace = try Trace(settings: { ($0.accumulation, $0.epochs) = (2, 3) }) { [MIGU(asTheReference, learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "migu-accumulated") == [])
  }

  // MARK: The quantile

  @Test func keepsTheTopRows() {
    #expect(MIGU.mask((1...10).map(Float.init), threshold: 0.7).map { !$0 } == (1...10).map { $0 >= 8 })
  }

  @Test func keepsTiesAtTheThreshold() {
    #expect(MIGU.mask([1, 5, 5, 5, 5], threshold: 0.7) == [true, false, false, false, false])
    #expect(MIGU.mask([2, 2, 2], threshold: 0.7) == [false, false, false])
  }

  @Test func keepsTheRowThatEqualsAThresholdWithRoundingError() {
    // 0.7·10 is 7 in exact arithmetic and a little less in floating point, 0.7·30 a little less than 21.
    #expect(MIGU.mask((1...11).map { Float($0) / 3 }, threshold: 0.7).map { !$0 } == (1...11).map { $0 >= 8 })
    #expect(MIGU.mask((1...31).map { Float($0) / 3 }, threshold: 0.7).map { !$0 } == (1...31).map { $0 >= 22 })
  }

  @Test(arguments: [(1024, 307), (4096, 1229), (512, 154), (768, 231), (8, 3), (11, 4), (31, 10), (1, 1)])
  func keepsAsManyRowsAsTheQuantileSays(rows: Int, kept: Int) {
    #expect(MIGU.mask((0..<rows).map { Float($0 * 7919 % rows) }, threshold: 0.7).filter { !$0 }.count == kept)
    #expect(MIGU.keptCount(of: rows, threshold: 0.7) == kept)
  }

  @Test func selectsWhatSortingWouldPutThere() {
    for (count, different) in [(1, 1), (2, 9), (7, 3), (100, 1000), (101, 5), (384, 100_000)] {
      let values = (0..<count).map { Float($0 * 7919 % 1009 % different) }, sorted = values.sorted()
      for place in 0..<count {
        var ranked = values
        #expect(ranked.select(place) == sorted[place])
        #expect(ranked[..<place].allSatisfy { $0 <= sorted[place] })
        #expect(ranked[place...].allSatisfy { $0 >= sorted[place] })
      }
    }
  }

  /// A broken activation must not break the program before the loss is checked.
  @Test func masksAmongNumbersThatAreNone() {
    for place in 0..<9 {
      var scores = (1...9).map(Float.init)
      scores[place] = .nan
      #expect(MIGU.mask(scores, threshold: 0.7).count == 9)
    }
  }

  // MARK: Training

  @Test func withoutThresholdIsFineTuningToTheBit() throws {
    let masked = try Trace { [MIGU(configured { $0.threshold = 0 }, learner: $0)] }
    let plain = try Trace { [FineTune(.init(), learner: $0)] }
    try masked.trainer.run()
    try plain.trainer.run()
    #expect(masked.recorder.losses == plain.recorder.losses)
    #expect(areSame(masked.learner.parameters.snapshot(), plain.learner.parameters.snapshot()))
  }

  @Test func theFirstExperienceIsFineTuningToTheBit() throws {
    var weights: [[String: Tensor]] = []
    for makesMIGU in [true, false] {
      let trace = try Trace { [makesMIGU ? MIGU(.init(), learner: $0) : FineTune(.init(), learner: $0)] }
      trace.recorder.onBegin = { if $0 == 1 { weights.append(trace.learner.parameters.snapshot()) } }
      try trace.trainer.run()
    }
    #expect(weights.count == 2 && areSame(weights[0], weights[1]))
  }

  @Test func itMayMaskTheFirstExperienceToo() throws {
    var weights: [[String: Tensor]] = []
    for fromFirst in [true, false] {
      let trace = try Trace { [MIGU(configured { $0.fromFirst = fromFirst }, learner: $0)] }
      trace.recorder.onBegin = { if $0 == 1 { weights.append(trace.learner.parameters.snapshot()) } }
      try trace.trainer.run()
    }
    #expect(weights.count == 2 && !areSame(weights[0], weights[1]))
  }

  /// The first updates of the second experience of a wide model, by SGD without momentum.
  private struct Run {
    /// Weights before the updates and after each.
    var weights: [[String: Tensor]] = []
    let model: WideModel
    /// The second experience's examples, four an update.
    let examples = Toy.examples(1, seed: 11)

    init(
      _ model: WideModel = WideModel(), clipNorm: Double = 0, rate: Double = 1, updates: Int = 2,
      methods: (Learner) throws -> [any ContinualMethod] = { [MIGU(.init(), learner: $0)] },
      settings change: (inout TrainingSettings) -> Void = { _ in }
    ) throws {
      self.model = model
      var weights: [[String: Tensor]] = []
      let toy = try Toy(
        model, train: [Toy.examples(0, seed: 10), examples],
        settings: {
          ($0.optimizer, $0.learningRate, $0.clipNorm, $0.maxUpdates) = (.sgd, rate, clipNorm, updates)
          change(&$0)
        }
      ) { try [Watcher($0, skipsFirst: true)] + methods($0) }
      toy.recorder.onBegin = { if $0 == 1 { weights.append(toy.parameters.snapshot()) } }
      toy.recorder.onUpdate = { _, _ in weights.append(toy.parameters.snapshot()) }
      try toy.trainer.run()
      self.weights = weights
    }

    /// Rows of a parameter that an update changed.
    func changed(_ name: String, update: Int = 0) -> Set<Int> {
      guard let before = weights[update][name], let after = weights[update + 1][name] else { return [] }
      return changedRows(before, after)
    }
  }

  @Test func anUpdateChangesTheRowsOfLargestActivationAndEveryBias() throws {
    let model = WideModel()
    let run = try Run(model, updates: 1)
    let changed = run.changed("wide.weight")
    #expect(changed.count == 307)
    #expect(run.changed("wide.bias").count == 1024)
    let before = WideModel()
    #expect(changed == topRows(before.magnitudes(Array(run.examples[0..<4])), 307))
  }

  @Test func theInputsScaleDoesNotMatter() throws {
    let plain = try Run(WideModel(bias: false)), scaled = try Run(WideModel(bias: false, scale: 3))
    #expect(plain.changed("wide.weight") == scaled.changed("wide.weight"))
  }

  @Test func eachBatchHasItsOwnMask() throws {
    let run = try Run()
    #expect(run.changed("wide.weight") != run.changed("wide.weight", update: 1))
    #expect(run.changed("wide.weight", update: 1).count == 307)
  }

  @Test(arguments: [true, false]) func onlyWhereLazyTheOptimizerLeavesMaskedRowsAlone(isLazy: Bool) throws {
    // Momentum and weight decay move rows without a gradient.
    let run = try Run(
      methods: { [MIGU(configured { $0.lazy = isLazy }, learner: $0)] },
      settings: { ($0.optimizer, $0.learningRate, $0.weightDecay) = (.adamw, 1e-2, 0.1) })
    let first = run.changed("wide.weight"), second = run.changed("wide.weight", update: 1)
    #expect(first.count == (isLazy ? 307 : 1024) && second.count == (isLazy ? 307 : 1024))
    #expect((first == second) != isLazy)
    #expect(run.changed("wide.bias", update: 1).count == 1024)
  }

  @Test func clippingSeesTheMaskedNorm() throws {
    // With a rate of 1, what moves has the length of the clip, if the norm is that of the masked gradient.
    let run = try Run(clipNorm: 1e-3, updates: 1)
    let moved = run.weights[0].reduce(0.0) { sum, entry in
      let after = run.weights[1][entry.key]?.values() ?? []
      return sum + zip(entry.value.values(), after).reduce(0.0) { $0 + Double($1.1 - $1.0) * Double($1.1 - $1.0) }
    }.squareRoot()
    #expect(abs(moved - 1e-3) < 2e-5)
  }

  // MARK: With adapters

  @Test func trainsALoRAAsTheReferenceDoes() throws {
    let trace = try Trace { [SequentialLoRA(goldenLoRA, learner: $0), MIGU(asTheReference, learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "lora-migu") == [])
  }

  @Test func aFreshBIsRankedByTheLayersOutput() throws {
    let lora = configured(SequentialLoRA.Configuration.self) { ($0.targets, $0.dropout) = (["wide"], 0) }
    let run = try Run(updates: 1) { [SequentialLoRA(lora, learner: $0), MIGU(.init(), learner: $0)] }
    let changed = run.changed("wide.lora.0.b")
    #expect(changed.count == 307)
    #expect(changed == topRows(run.model.magnitudes(Array(run.examples[0..<4])), 307))
    #expect(run.changed("wide.weight").isEmpty)
  }

  @Test(arguments: [false, true]) func masksTheNewestOfSeveralAdaptersOnly(isOrthogonal: Bool) throws {
    let data = (0..<2).map { Toy.examples($0, seed: UInt64($0)) }
    let toy = try Toy(try Trace.model(), train: data, settings: { ($0.optimizer, $0.clipNorm) = (.sgd, 0) }) {
      let orthogonal = configured(OLoRA.Configuration.self) { ($0.rank, $0.alpha, $0.dropout) = (4, 8, 0) }
      return [
        isOrthogonal ? OLoRA(orthogonal, learner: $0) : IncLoRA(goldenLoRA, learner: $0), MIGU(.init(), learner: $0),
      ]
    }
    var start: [String: Tensor] = [:], first: [String: Tensor] = [:]
    toy.recorder.onBegin = { if $0 == 1 { start = toy.parameters.snapshot { $0.role == .adapter } } }
    toy.recorder.onUpdate = { trainer, _ in
      if trainer.learner.current == 1, first.isEmpty { first = toy.parameters.snapshot { $0.role == .adapter } }
    }
    try toy.trainer.run()
    let final = toy.parameters.snapshot { $0.role == .adapter }
    for (name, before) in start {
      let after = try #require(final[name])
      if name.contains(".lora.0.") { #expect(before.values() == after.values(), "\(name)") }
      // 32 outputs: p = 21.7, ten rows are kept.
      if name.hasSuffix(".lora.1.b") { #expect(changedRows(before, try #require(first[name])).count == 10, "\(name)") }
    }
  }
}
