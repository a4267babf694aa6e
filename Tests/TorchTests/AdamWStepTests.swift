import Foundation
import Testing
import Torch

@Suite struct AdamWStepTests {
  /// The state of one weight after some updates.
  private struct Run {
    let value, master, first, second: Tensor

    /// - Parameter gradients: changes the gradient's layout or dtype before it is used.
    init(_ dtype: DType, isDecoupled: Bool = true, gradients: (Tensor) -> Tensor) {
      var generator = Generator(seed: 31)
      let initial = Tensor.normal([37, 53], &generator)
      value = initial.to(dtype).clone()
      master = dtype == .float32 ? value.detached() : initial
      first = .zeros([37, 53])
      second = .zeros([37, 53])
      for step in 1...5 {
        let gradient = gradients(Tensor.normal([37, 53], &generator).to(.bfloat16).to(.float32))
        AdamWStep(
          rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: step, isDecoupled: isDecoupled,
          gradientScale: 0.5
        ).apply([.init(value: value, master: master, gradient: gradient, first: first, second: second)])
      }
    }
  }

  @Test func oneStepEqualsTheFormula() {
    let weight = Tensor([2] as [Float]), first = Tensor([0.5] as [Float]), second = Tensor([0.04] as [Float])
    AdamWStep(rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.2, step: 2, gradientScale: 0.5)
      .apply([.init(value: weight, master: weight, gradient: Tensor([3] as [Float]), first: first, second: second)])
    let m = 0.9 * 0.5 + 0.1 * 1.5, v = 0.99 * 0.04 + 0.01 * 2.25
    let step = 0.1 * (m / (1 - 0.81)) / ((v / (1 - 0.9801)).squareRoot() + 1e-3)
    #expect(difference(first, [Float(m)]) == nil)
    #expect(difference(second, [Float(v)]) == nil)
    #expect(difference(weight, [Float(2 * (1 - 0.1 * 0.2) - step)]) == nil)
  }

  @Test func coupledDecayEntersTheGradient() {
    let weight = Tensor([2] as [Float]), first = Tensor.zeros([1]), second = Tensor.zeros([1])
    AdamWStep(rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1, weightDecay: 0.5, step: 1, isDecoupled: false)
      .apply([.init(value: weight, master: weight, gradient: Tensor([3] as [Float]), first: first, second: second)])
    // gradient 3 + 0.5·2 = 4; bias-corrected moments 4 and 16.
    #expect(difference(weight, [2 - 0.1 * 4 / 5]) == nil)
  }

  @Test(arguments: [true, false]) func pathsAgree(isDecoupled: Bool) {
    let reference = Run(.float32, isDecoupled: isDecoupled) { $0 }
    let turned = Run(.float32, isDecoupled: isDecoupled) { $0.t.contiguous().t }
    #expect(turned.value.values() == reference.value.values(), "the layout of the gradient does not matter")
    // A bfloat16 gradient of a float32 weight takes the path of libtorch's operators.
    let generic = Run(.float32, isDecoupled: isDecoupled) { $0.to(.bfloat16) }
    #expect(difference(generic.value, reference.value.values(), atol: 1e-6) == nil)
    #expect(difference(generic.second, reference.second.values(), atol: 1e-6) == nil)
    let brain = Run(.bfloat16, isDecoupled: isDecoupled) { $0.to(.bfloat16) }
    #expect(difference(brain.master, reference.value.values(), atol: 1e-6) == nil)
    #expect(difference(brain.first, reference.first.values(), atol: 1e-6) == nil)
  }

  @Test func theBfloat16ValueIsTheRoundedMaster() {
    for gradients in [{ (x: Tensor) in x.to(.bfloat16) }, { $0.to(.bfloat16).t.contiguous().t }, { $0 }] {
      let run = Run(.bfloat16, gradients: gradients)
      #expect(run.value.dtype == .bfloat16)
      #expect(run.value.values() == run.master.to(.bfloat16).values())
    }
  }

  @Test(arguments: [(DType.float32, DType.float32), (.bfloat16, .bfloat16), (.float32, .bfloat16)])
  func someRowsMoveAsInTheWholeAndTheRestStay(_ dtype: DType, _ gradientType: DType) {
    let rows = Tensor([2, 7, 30] as [Int64]), start = Run(dtype) { $0.to(gradientType) }
    let whole = [start.value, start.master, start.first, start.second]
    var generator = Generator(seed: 5)
    let gradient = Tensor.normal([37, 53], &generator).to(gradientType)
    let step = AdamWStep(rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: 6)
    func after(_ rows: Tensor?) -> [Tensor] {
      let value = whole[0].clone(), master = dtype == .float32 ? value.detached() : whole[1].clone()
      let state = [value, master, whole[2].clone(), whole[3].clone()]
      let one = AdamWStep.Operands(
        value: state[0], master: state[1], gradient: gradient, first: state[2], second: state[3])
      if let rows { step.apply(one, rows: rows) } else { step.apply([one]) }
      return state
    }
    for (before, (all, some)) in zip(whole, zip(after(nil), after(rows))) {
      let (before, all, some) = (before.values(), all.values(), some.values())
      for row in 0..<37 {
        let expected = [30, 2, 7].contains(row) ? all : before
        #expect(some[row * 53..<row * 53 + 53] == expected[row * 53..<row * 53 + 53])
      }
    }
  }

  /// One update of `rows` of a matrix of ones.
  private static func update(_ shape: [Int], rows: [Int64]) -> Tensor {
    let weight = Tensor.ones(shape)
    AdamWStep(rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, step: 1).apply(
      .init(value: weight, master: weight, gradient: .ones(shape), first: .zeros(shape), second: .zeros(shape)),
      rows: Tensor(rows))
    return weight
  }

  @Test func nothingIsUpdatedWhereNothingIs() {
    #expect(Self.update([0, 3], rows: []).count == 0)
    #expect(Self.update([2, 0], rows: [0, 1]).count == 0)
    #expect(Self.update([2, 3], rows: []).values() == [Float](repeating: 1, count: 6))
  }

  @Test func rowsMustBeThere() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AdamWStepTests.update([4, 3], rows: [1, 1 << 40])
    }
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("int64 [2]): row 1099511627776 of 4"), "\(output.prefix(400))")
  }

  @Test func rowsMustRise() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AdamWStepTests.update([4, 3], rows: [0, 2, 2])
    }
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("row 2 stands behind row 2"), "\(output.prefix(400))")
  }

  /// A table of 600 words, of which each update sees some; every third update sees those of the first.
  private func table(_ dtype: DType, note: Tensor?, weightDecay: Double = 0) -> [Tensor] {
    var generator = Generator(seed: 9)
    let initial = Tensor.normal([600, 24], &generator), value = initial.to(dtype).clone()
    let master = dtype == .float32 ? value.detached() : initial
    let first = Tensor.zeros([600, 24]), second = Tensor.zeros([600, 24])
    for step in 1...7 {
      let gradient = Tensor.zeros([600, 24])
      let seen = Tensor((0..<9).map { Int64((step % 3 * 190 + $0 * 7) % 400) })
      gradient.narrowed(0, 0..<400).detached().fill(0.5, at: seen, dimension: 0)
      AdamWStep(rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: step < 4 ? weightDecay : 0, step: step)
        .apply([
          .init(
            value: value, master: master, gradient: gradient.to(dtype), first: first, second: second, touched: note)
        ])
    }
    return [value, master, first, second]
  }

  @Test(arguments: [DType.float32, .bfloat16]) func whatIsKnownOfTheMomentsChangesNothing(_ dtype: DType) {
    let expected = table(dtype, note: nil).map { $0.values() }
    for areZero in [true, false] {
      let note = AdamWStep.Operands.note(elements: 600 * 24, areZero: areZero)
      #expect(table(dtype, note: note).map { $0.values() } == expected)
      // Rows 400 and up were never seen: elements 9600 and up, of blocks 38 and up.
      #expect(note.count == 57 && note.values().suffix(19).allSatisfy { $0 == 0 })
      #expect(note.values().contains(1))
    }
    // With decay, which ends here while moments go on, every weight moves.
    let note = AdamWStep.Operands.note(elements: 600 * 24, areZero: true)
    let decayed = table(dtype, note: nil, weightDecay: 0.1).map { $0.values() }
    #expect(table(dtype, note: note, weightDecay: 0.1).map { $0.values() } == decayed)
    #expect(decayed[1].suffix(24 * 200) != expected[1].suffix(24 * 200))
  }

  @Test func paddedWeightsKeepTheirNeighbours() {
    let memory = Tensor.full([4, 6], 7)
    let weight = memory.narrowed(1, 0..<3)
    let state = (Tensor.zeros([4, 3]), Tensor.zeros([4, 3]))
    AdamWStep(rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, step: 1)
      .apply([.init(value: weight, master: weight, gradient: .ones([4, 3]), first: state.0, second: state.1)])
    #expect(difference(weight, [Float](repeating: 6.9, count: 12), atol: 1e-5) == nil)
    #expect(memory.narrowed(1, 3..<6).values() == [Float](repeating: 7, count: 12))
  }
}
