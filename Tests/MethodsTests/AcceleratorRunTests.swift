import Continual
import Evaluation
import Foundation
import HostAccelerator
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

/// What runs on an accelerator, tried on one that any machine has: it does what the CPU does, and no update waits for it.
@Suite struct AcceleratorRunTests {
  /// Ends the process where the accelerator was waited for, or ends elsewhere than the CPU.
  private static func check(
    _ golden: String, objective: (any Objective)? = nil, _ change: (inout TrainingSettings) -> Void = { _ in },
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws {
    host_accelerator_register()
    precondition(Device.custom.isAvailable)
    let there = try AcceleratorToy.train(golden, on: .custom, objective: objective, change, methods: methods)
    let here = try AcceleratorToy.train(golden, on: .cpu, objective: objective, change, methods: methods)
    precondition(there.waits == 0, "waited \(there.waits) times")
    precondition(Set(there.weights.keys) == Set(here.weights.keys))
    for (name, values) in here.weights {
      let gap = zip(values, there.weights[name] ?? []).map { abs($0 - $1) }.max() ?? 0
      precondition(gap < 1e-4, "\(name) is \(gap) away")
    }
  }

  @Test func anEncoder() async {
    await #expect(processExitsWith: .success) { try Self.check("bert-tiny") { [AcceleratorToy.migu($0)] } }
  }

  @Test func aDecoder() async {
    await #expect(processExitsWith: .success) { try Self.check("llama-grouped") { [AcceleratorToy.migu($0)] } }
  }

  @Test func aDecoderWithoutPadding() async {
    await #expect(processExitsWith: .success) {
      try Self.check("llama-grouped", { $0.batchSize = 1 }) { [AcceleratorToy.migu($0)] }
    }
  }

  @Test func anEncoderDecoder() async {
    await #expect(processExitsWith: .success) {
      try Self.check("t5-tied", { $0.optimizer = .adafactor }) { [AcceleratorToy.migu($0)] }
    }
  }

  @Test func adapters() async {
    await #expect(processExitsWith: .success) {
      try Self.check("llama-grouped") {
        [SequentialLoRA(configured { $0.dropout = 0 }, learner: $0), AcceleratorToy.migu($0)]
      }
    }
  }

  /// Two documents stand in each row.
  @Test func pretraining() async {
    await #expect(processExitsWith: .success) {
      let masked = MaskedTokens(mask: 4, special: [1, 2, 3], vocabularySize: 60, share: 0.4)
      try Self.check("roberta-tiny", objective: masked) { [AcceleratorToy.migu($0)] }
      try Self.check("llama-grouped", objective: NextToken(end: nil)) { [AcceleratorToy.migu($0)] }
    }
  }

  @Test func rowsAlone() async {
    await #expect(processExitsWith: .success) {
      try Self.check("bert-tiny") { [AcceleratorToy.migu($0) { $0.lazy = true }] }
    }
  }

  /// Three updates of AdamW of three parameters.
  private static func updated(_ dtype: DType, isDecoupled: Bool, on device: Device) -> [AdamWStep.Operands] {
    var generator = Generator(seed: 7)
    let all: [AdamWStep.Operands] = [[3, 5], [64, 9], [1]].map { (shape: [Int]) in
      let initial = Tensor.normal(shape, &generator), gradient = Tensor.normal(shape, &generator)
      let value = initial.to(dtype).clone().to(device: device)
      return AdamWStep.Operands(
        value: value, master: dtype == .float32 ? value.detached() : initial.to(device: device),
        gradient: gradient.to(dtype).to(device: device), first: .zeros(shape, device: device),
        second: .zeros(shape, device: device))
    }
    let counts = all.map { _ in Tensor.zeros([], device: device) }
    for step in 1...3 {
      if device == .cpu {
        AdamWStep(
          rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: step, isDecoupled: isDecoupled,
          gradientScale: 0.5
        ).apply(all)
      } else {
        FusedAdamWStep(
          rate: Tensor([0.01] as [Float], shape: [], device: device), beta1: 0.9, beta2: 0.99, epsilon: 1e-8,
          weightDecay: 0.1, isDecoupled: isDecoupled, gradientScale: 0.5
        ).apply(all, counts: counts)
      }
    }
    precondition(device == .cpu || counts.allSatisfy { $0.item() == 3 })
    return all
  }

  @Test func adamW() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      for (dtype, isDecoupled) in [(DType.float32, true), (.float32, false), (.bfloat16, true), (.bfloat16, false)] {
        let there = Self.updated(dtype, isDecoupled: isDecoupled, on: .custom)
        for (a, b) in zip(there, Self.updated(dtype, isDecoupled: isDecoupled, on: .cpu)) {
          for part: KeyPath<AdamWStep.Operands, Tensor> in [\.master, \.first, \.second] {
            let (x, y) = (a[keyPath: part].to(device: .cpu).values(), b[keyPath: part].values())
            precondition(zip(x, y).allSatisfy { abs($0 - $1) <= 1e-5 }, "\(dtype) \(x) \(y)")
          }
          precondition(a.value.to(device: .cpu).values() == a.master.to(device: .cpu).to(dtype).values())
        }
      }
    }
  }

  /// Of the device's own memory, of which a terabyte is free.
  @Test func memoryIsCounted() async {
    #expect(Device.cpu.memory == nil)
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      var x: Tensor? = Tensor.zeros([1000], device: .custom)
      let full = Device.custom.memory
      precondition(full?.held == 4000 && full?.free == (1 << 40) - 4000, "\(String(describing: full))")
      x = nil
      let empty = Device.custom.memory
      precondition(x == nil && empty?.held == 0 && empty?.peak == 4000, "\(String(describing: empty))")
    }
  }

  /// Moments and counts go to another optimizer, which goes on with them.
  @Test func aRestoredAdamWGoesOn() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      func parameter() -> Parameter {
        let initial = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2], device: .custom)
        let made = Parameter(name: "w", role: .backbone, initial: initial, dtype: .bfloat16)
        made.isTrainable = true
        return made
      }
      func move(_ parameter: Parameter, _ optimizer: AdamW) {
        parameter.gradient = Tensor([1, -1, 0.5, 2] as [Float], shape: [2, 2], device: .custom).to(.bfloat16)
        optimizer.update([parameter], rate: 0.1, gradientScale: 1)
      }
      let whole = parameter(), optimizer = AdamW(.init())
      for _ in 0..<2 { move(whole, optimizer) }
      let state = optimizer.state.mapValues { $0.to(device: .cpu).clone() }
      precondition(state["steps.w"]?.scalars(Int64.self) == [2])
      let other = parameter(), restored = AdamW(.init())
      other.assign(whole.master.clone())
      restored.restore(state, step: 2, parameters: [other])
      for (parameter, optimizer) in [(whole, optimizer), (other, restored)] { move(parameter, optimizer) }
      precondition(restored.step == 3 && whole.master.values() == other.master.values())
    }
  }

  /// Dropout draws in another way there, and nothing waits for it.
  @Test func dropout() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      let end = try AcceleratorToy.train("bert-tiny", on: .custom, { _ in }) {
        [SequentialLoRA(configured { $0.dropout = 0.5 }, learner: $0)]
      }
      precondition(end.waits == 0)
    }
  }

  @Test func accumulatedBatches() async {
    await #expect(processExitsWith: .success) {
      try Self.check("bert-tiny", { $0.accumulation = 2 }) { [AcceleratorToy.migu($0)] }
    }
  }

  /// Each trains both experiences and is measured, and no operator is given tensors of two devices.
  @Test func everyMethod() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      for type in methodTypes {
        let name = type.card.name
        // Needs dropout, which the tiny models have not.
        if name == "das" { continue }
        let trainer = try AcceleratorToy.trainer(
          name == "lfpt5" ? "t5-tied" : "bert-tiny", on: .custom
        ) { learner in
          // By default it writes for minutes.
          name == "lfpt5"
            ? [LFPT5(configured { ($0.length, $0.attempts, $0.sampleTokens) = (3, 2, 8) }, learner: learner)]
            : [try AcceleratorToy.make(type, learner)]
        }
        try trainer.run()
        precondition(trainer.progress.matrix.rows.count == 2, "\(name)")
      }
    }
  }

  /// Greedy, with a beam, and by scores of options.
  @Test func answers() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      for golden in ["llama-grouped", "t5-tied"] {
        func answers(_ device: Device) throws -> [[String?]] {
          let trainer = try AcceleratorToy.trainer(golden, on: device) {
            [FineTune(.init(), learner: $0)]
          }
          let learner = trainer.learner, examples = learner.data(of: learner.stream.experiences[0]).test
          var settings = EvaluationSettings()
          settings.maxAnswerTokens = 6
          let greedy = try learner.write(examples, methods: [], settings: settings)
          settings.beams = 3
          let searched = try learner.write(examples, methods: [], settings: settings)
          let scored = try learner.evaluate(examples, methods: [], settings: EvaluationSettings())
          return [greedy, searched, ["\(scored.accuracy ?? -1)"]]
        }
        let there = try answers(.custom), here = try answers(.cpu)
        precondition(there == here, "\(there), not \(here)")
      }
    }
  }

  /// With the log, at the latest; before that nothing could have been saved.
  @Test func whatBreaksEndsTheRun() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      let trainer = try AcceleratorToy.trainer("bert-tiny", on: .custom, { ($0.logEvery, $0.learningRate) = (3, 1e38) })
      {
        [FineTune(.init(), learner: $0)]
      }
      do {
        try trainer.run()
        preconditionFailure("nothing was noticed")
      } catch TrainingError.brokenUpdates(let experience, let first, let last) {
        precondition(experience == "one" && first == 0 && last == 2)
      }
    }
  }

  /// The count counts: what is read after each update is noticed.
  @Test func whatIsReadIsNoticed() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      let end = try AcceleratorToy.train("bert-tiny", on: .custom, { $0.logEvery = 1 }) { [AcceleratorToy.migu($0)] }
      precondition(end.waits == 3, "waited \(end.waits) times")
    }
  }
}
