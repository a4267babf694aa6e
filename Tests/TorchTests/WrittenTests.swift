import Testing
import Torch

/// What a kernel has written over is not taken for what a forward pass saved.
@Suite struct WrittenTests {
  /// The gradient of `saved · x` after `write`.
  private static func backward(_ saved: Tensor, after write: (Tensor) -> Void) {
    let x = leaf([1, 2, 3, 4], [2, 2]), y = (x * saved).sum()
    withoutGradient { write(saved) }
    y.backward()
  }

  private func expectRefusal(_ result: ExitTest.Result?) {
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("has been modified by an inplace operation"), "\(output.prefix(400))")
  }

  private static func adamW(_ value: Tensor, _ master: Tensor) {
    AdamWStep(rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, step: 1).apply([
      .init(
        value: value, master: master, gradient: .ones([2, 2], dtype: value.dtype), first: .zeros([2, 2]),
        second: .zeros([2, 2]))
    ])
  }

  @Test func byAdamW() async {
    expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        WrittenTests.backward(leaf([1, 1, 1, 1], [2, 2])) { WrittenTests.adamW($0, $0.detached()) }
      })
    expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        WrittenTests.backward(.ones([2, 2], dtype: .bfloat16)) { WrittenTests.adamW($0, .ones([2, 2])) }
      })
  }

  @Test func byAdafactor() async {
    expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        WrittenTests.backward(leaf([1, 1, 1, 1], [2, 2])) {
          let step = AdafactorStep(rate: 0.1, decay: 0.5, weightDecay: 0, scalesByParameter: false, gradientScale: 1)
          _ = step.apply(
            value: $0, master: $0.detached(), gradient: .ones([2, 2]), rows: .ones([2]), columns: .ones([2]))
        }
      })
  }

  @Test func byZerosInRows() async {
    expectRefusal(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        WrittenTests.backward(.ones([2, 2])) { $0.fill(0, at: Tensor([Int64(1)]), dimension: 0) }
      })
  }

  /// Weights made where nothing is recorded have no such count.
  @Test func tensorsOfInferenceAreWrittenToo() {
    let weight = inference { Tensor.ones([2, 2]) }
    Self.adamW(weight, weight)
    weight.fill(0, at: Tensor([Int64(1)]), dimension: 0)
    #expect(weight.values().suffix(2) == [0, 0] && weight.values()[0] < 1)
  }
}
