import Adapters
import Continual
import Evaluation
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@Suite struct PICTests {
  typealias C = PIC.Configuration

  private static func configuration(_ change: (inout C) -> Void = { _ in }) -> C {
    configured {
      ($0.rank, $0.alpha, $0.dropout, $0.width) = (4, 8, 0, 8)
      ($0.strengthFrom, $0.strength) = (.fixed, 0.5)
      change(&$0)
    }
  }

  /// A run of PIC on the tiny encoder, with the adapter's values at the start and the end of each experience.
  private struct Run {
    let toy: Toy, method: PIC
    var starts: [[String: Tensor]] = [], ends: [[String: Tensor]] = []
    let isChangedBackbone: Bool

    init(
      _ configuration: C, tasks: [[TokenizedExample]] = (0..<2).map { Toy.examples($0, seed: UInt64($0)) },
      validation: [[TokenizedExample]] = [], dtype: DType = .float32,
      with others: (Learner) -> [any ContinualMethod] = { _ in [] }
    ) throws {
      var ends: [[String: Tensor]] = [], starts: [[String: Tensor]] = []
      var snapshot: () -> [String: Tensor] = { [:] }
      var made: PIC?
      let toy = try Toy(try Trace.model(dtype: dtype), train: tasks, validation: validation) { learner in
        let method = PIC(configuration, learner: learner)
        made = method
        return [method] + others(learner) + [Watcher(learner) { _ in ends.append(snapshot()) }]
      }
      // Every head starts alike, so that a task's place in the stream does not matter.
      if let first = toy.learner.classifier.heads.blocks.first {
        for block in toy.learner.classifier.heads.blocks { block.linear.weight.assign(first.linear.weight.master) }
      }
      snapshot = { toy.parameters.snapshot { $0.role == .adapter } }
      let before = toy.parameters.snapshot { $0.role == .backbone }
      toy.recorder.onBegin = { _ in starts.append(snapshot()) }
      try toy.trainer.run()
      method = try #require(made)
      isChangedBackbone = !areSame(before, toy.parameters.snapshot { $0.role == .backbone })
      (self.toy, self.starts, self.ends) = (toy, starts, ends)
    }

    var merged: [String: Tensor] { method.mergedValues(in: toy.parameters) }
  }

  /// One of each thing that PIC can merge.
  enum Form: CaseIterable { case product, factor, bottleneck }
  private static func form(_ form: Form, _ change: (inout C) -> Void = { _ in }) -> C {
    configuration {
      switch form {
      case .product: break
      case .factor: $0.space = .factor
      case .bottleneck: $0.adapter = .bottleneck
      }
      change(&$0)
    }
  }

  private func largestGap(_ x: Tensor, _ y: Tensor) -> Float {
    zip(x.values(), y.values()).map { abs($0 - $1) }.max() ?? 0
  }

  // MARK: Reference

  @Test(arguments: [PIC.Space.product, .factor]) func mergesAsTheReferenceDoes(space: PIC.Space) throws {
    var made: PIC?
    var ends: [[String: Tensor]] = []
    var snapshot: () -> [String: Tensor] = { [:] }
    let trace = try Trace { learner in
      let method = PIC(Self.configuration { ($0.space, $0.initialisation) = (space, .independent) }, learner: learner)
      made = method
      return [method, Watcher(learner) { _ in ends.append(snapshot()) }]
    }
    snapshot = { trace.learner.parameters.snapshot { $0.role != .backbone } }
    try trace.trainer.run()
    let golden = try Golden.load("methods/pic.safetensors"), method = try #require(made)
    let merged = method.mergedValues(in: trace.learner.parameters)
    #expect(difference(Tensor(trace.recorder.losses), try #require(golden["losses"]), atol: 1e-5) == nil)
    for (key, expected) in golden {
      let parts = key.split(separator: ".", maxSplits: 1).map(String.init), name = parts.last ?? key
      var actual: Tensor?
      switch parts[0] {
      case "final" where name.contains(".lora.1."): actual = ends[1][name.replacing(".lora.1.", with: ".lora.0.")]
      case "final" where name.contains(".lora.0."): actual = ends[0][name]
      case "final": actual = ends[1][name]
      case "product" where space == .product: actual = merged[name]
      case "factor" where space == .factor && name.contains(".lora."):
        actual = merged[name.replacing(".lora.", with: ".lora.0.")]
      default: continue
      }
      #expect(difference(try #require(actual, "\(key)"), expected, atol: 1e-5) == nil, "\(key)")
    }
    #expect(merged.count == (space == .product ? 4 : 8))
  }

  // MARK: Isolation

  @Test(arguments: Form.allCases) func neverChangesTheBackbone(form: Form) throws {
    let run = try Run(Self.form(form))
    #expect(!run.isChangedBackbone)
    #expect(!areSame(run.starts[0], run.ends[0]))
  }

  @Test(arguments: Form.allCases) func anIndependentAdapterDoesNotDependOnEarlierTasks(form: Form) throws {
    let task = Toy.examples(1, seed: 1)
    let independent = Self.form(form) { $0.initialisation = .independent }
    let runs = try [20, 21].map { try Run(independent, tasks: [Toy.examples(0, seed: $0), task]) }
    #expect(areSame(runs[0].ends[1], runs[1].ends[1]))
    #expect(!areSame(runs[0].ends[0], runs[1].ends[0]))
    #expect(areSame(runs[0].starts[1], runs[0].starts[0]))
  }

  @Test func aSequentialAdapterStartsFromTheOneBefore() throws {
    let run = try Run(Self.configuration())
    #expect(areSame(run.starts[1], run.ends[0]))
  }

  // MARK: Combination

  @Test(arguments: Form.allCases) func oneTaskAtFullStrengthIsTheTrainedModel(form: Form) throws {
    let data = Toy.examples(0, seed: 0)
    let run = try Run(Self.form(form) { $0.strength = 1 }, tasks: [data])
    let trained = try run.toy.features(data), merged = try run.toy.features(data, through: run.method)
    #expect(difference(merged, trained, atol: 1e-5) == nil)
    let pretrained = try Run(Self.form(form), tasks: [[]]).toy.features(data)
    #expect(largestGap(merged, pretrained) > 1e-3)
  }

  @Test(arguments: Form.allCases) func noStrengthIsThePretrainedModelToTheBit(form: Form) throws {
    let data = Toy.examples(0, seed: 0)
    let run = try Run(Self.form(form) { $0.strength = 0 })
    let toy = try Toy(try Trace.model(), train: [data]) { _ in [] }
    #expect(try run.toy.features(data, through: run.method).values() == toy.features(data).values())
  }

  @Test(arguments: Form.allCases) func theOrderOfIndependentTasksDoesNotMatter(form: Form) throws {
    let independent = Self.form(form) { $0.initialisation = .independent }
    let forward = try Run(independent, tasks: [Toy.examples(0, seed: 30), Toy.examples(1, seed: 31)])
    let backward = try Run(independent, tasks: [Toy.examples(0, seed: 31), Toy.examples(1, seed: 30)])
    for (name, value) in forward.merged {
      #expect(difference(value, try #require(backward.merged[name]), atol: 1e-6) == nil, "\(name)")
    }
  }

  @Test func productsAndFactorsDifferByTheCrossTerms() throws {
    let product = try Run(Self.form(.product) { $0.initialisation = .independent })
    let factor = try Run(Self.form(.factor) { $0.initialisation = .independent })
    #expect(areSame(product.ends[1], factor.ends[1]))
    let weight = try #require(product.toy.parameters["encoder.layer.0.attention.self.query.weight"])
    let name = weight.name.replacing(".weight", with: ".lora.0")
    func pairs(_ values: [[String: Tensor]]) throws -> [(a: Tensor, b: Tensor)] {
      try values.map { (try #require($0["\(name).a"]), try #require($0["\(name).b"])) }
    }
    let (trained, start) = (try pairs(product.ends), try pairs(product.starts)[0].a)
    let strength = 0.5, scale = 2.0
    let sum = strength * trained.map { scale * $0.b.matmul($0.a) }.reduce(.zeros(weight.shape), +)
    let merged = try #require(product.merged[weight.name])
    #expect(difference(merged - weight.master, sum, atol: 1e-5) == nil)
    // λΣB·(A_0 + λΣ(A_i − A_0)) − λΣB_i·A_i = λΣ_i B_i·(A_0 − A_i + λΣ_j(A_j − A_0)).
    let moved = strength * trained.map { $0.a - start }.reduce(.zeros(start.shape), +)
    let cross = strength * trained.map { scale * $0.b.matmul(start - $0.a + moved) }.reduce(.zeros(weight.shape), +)
    let a = try #require(factor.merged["\(name).a"]), b = try #require(factor.merged["\(name).b"])
    #expect(difference(scale * b.matmul(a) - sum, cross, atol: 1e-5) == nil)
    #expect(cross.abs().sum().item() > 1e-3)
  }

  @Test(arguments: Form.allCases) func keepsTheSumOfTheVectors(form: Form) throws {
    let tasks = (0..<3).map { Toy.examples($0, seed: UInt64($0)) }
    let total = try Run(Self.form(form), tasks: tasks)
    let increment = try Run(Self.form(form) { $0.vectors = .increment }, tasks: tasks)
    func vector(_ values: [String: Tensor]) -> [String: Tensor] {
      guard form == .product else { return TaskVector(from: total.starts[0], to: values).tensors }
      return values.filter { $0.key.hasSuffix(".b") }.reduce(into: [:]) { products, entry in
        let a = values[entry.key.replacing(".lora.0.b", with: ".lora.0.a")]
        products[entry.key.replacing(".lora.0.b", with: ".weight")] = a.map { entry.value.matmul($0) * 2 }
      }
    }
    let sum = total.ends.map(vector).reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
    #expect(!sum.isEmpty)
    for (name, value) in sum {
      #expect(difference(try #require(total.method.state["sum"][name]), value, atol: 1e-6) == nil)
    }
    for (name, value) in vector(increment.ends[2]) {
      #expect(difference(try #require(increment.method.state["sum"][name]), value, atol: 1e-6) == nil)
    }
  }

  @Test func aBottlenecksBiasesAreMerged() throws {
    let run = try Run(Self.form(.bottleneck))
    let name = "encoder.layer.0.output.dense.adapter.0.up.bias"
    let expected = run.ends.compactMap { $0[name] }.reduce(.zeros([32])) { $0 + 0.5 * $1 }
    #expect(difference(try #require(run.merged[name]), expected, atol: 1e-6) == nil)
    #expect(expected.abs().sum().item() > 0)
  }

  @Test func keepsNothingButStartSumAndStrength() throws {
    let run = try Run(Self.configuration())
    #expect(Set(run.method.state.tensors.keys) == ["start", "sum"])
    #expect(run.method.state.numbers == ["strength": 0.5])
    #expect(run.method.state.exemplars.isEmpty)
    #expect(run.merged.keys.allSatisfy { !$0.hasPrefix("heads.") })
  }

  @Test(arguments: Form.allCases) func aPredictionLeavesTheTrainedAdapterInPlace(form: Form) throws {
    let data = Toy.examples(0, seed: 0)
    let run = try Run(Self.form(form))
    let before = try run.toy.features(data).values()
    let merged = try run.toy.features(data, through: run.method).values()
    #expect(try run.toy.features(data).values() == before)
    #expect(merged != before)
    #expect(try run.toy.features(data, through: run.method).values() == merged)
  }

  @Test(arguments: Form.allCases) func mergesInTheComputeDtype(form: Form) throws {
    let data = Toy.examples(0, seed: 0)
    let exact = try Run(Self.form(form)), rounded = try Run(Self.form(form), dtype: .bfloat16)
    let merged = try rounded.toy.features(data, through: rounded.method)
    #expect(merged.dtype == .bfloat16)
    #expect(rounded.merged.values.allSatisfy { $0.dtype == .float32 })
    #expect(difference(merged, try exact.toy.features(data, through: exact.method), atol: 0.1) == nil)
  }

  @Test func restoredStateMergesToTheSameBits() throws {
    let data = Toy.examples(0, seed: 0)
    let first = try Run(Self.configuration()), second = try Run(Self.configuration(), tasks: [data])
    _ = try second.toy.features(data, through: second.method)
    second.method.state = first.method.state
    #expect(
      try second.toy.features(data, through: second.method).values()
        == first.toy.features(data, through: first.method).values())
  }

  // MARK: Strength

  @Test func choosesTheStrengthOnValidationData() throws {
    let validation = (0..<3).map { Toy.examples($0, count: 24, seed: UInt64(40 + $0)) }
    let tasks = (0..<3).map { Toy.examples($0, count: 24, seed: UInt64(40 + $0)) }
    let run = try Run(Self.configuration { $0.strengthFrom = .validation }, tasks: tasks, validation: validation)
    let chosen = run.method.strength
    var accuracies: [(strength: Double, accuracy: Double)] = []
    for strength in ((1...10).map { Double($0) / 10 } + [1.0 / 3]).sorted() {
      run.method.state.numbers["strength"] = strength
      let scores = try validation.map {
        try run.toy.learner.evaluate($0, methods: [run.method], settings: .init()).accuracy ?? 0
      }
      accuracies.append((strength, scores.reduce(0, +) / 3))
    }
    let best = try #require(accuracies.map(\.accuracy).max())
    #expect(accuracies.first { $0.accuracy == best }?.strength == chosen)
    #expect(Set(accuracies.map(\.accuracy)).count > 1)
  }

  @Test func saysThatThereIsNoValidationData() throws {
    let data = [Toy.examples(0, seed: 0), Toy.examples(1, seed: 1)]
    let error = #expect(throws: PICError.self) {
      try Run(Self.configuration { $0.strengthFrom = .validation }, tasks: data, validation: [data[0]])
    }
    #expect(
      error?.errorDescription
        == "pic chooses its strength on validation data, and experience 'task 1' has none. "
        + "Give the stream a validation split, or set strengthFrom: fixed and a strength.")
  }

  @Test func trainsIsolatedAdaptersUnderTheMask() throws {
    let independent = Self.configuration { $0.initialisation = .independent }
    let plain = try Run(independent), masked = try Run(independent) { [MIGU(.init(), learner: $0)] }
    #expect(areSame(plain.ends[0], masked.ends[0]))
    #expect(!areSame(plain.ends[1], masked.ends[1]))
    #expect(!masked.isChangedBackbone)
  }
}
