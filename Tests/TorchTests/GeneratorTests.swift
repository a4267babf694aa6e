import Testing
import Torch

@Suite struct GeneratorTests {
  private struct Moments {
    let mean, variance, skewness, kurtosis: Double
    init(_ tensor: Tensor) {
      let x = tensor.to(.float64)
      let center = x - x.mean()
      mean = x.mean().item()
      variance = center.squared().mean().item()
      let standard = center / center.squared().mean().sqrt()
      skewness = standard.pow(3).mean().item()
      kurtosis = standard.pow(4).mean().item()
    }
  }

  @Test func equalSeedsGiveEqualValues() {
    var first = Generator(seed: 7), second = Generator(seed: 7)
    #expect(Tensor.normal([64], &first).values() == Tensor.normal([64], &second).values())
    #expect(first == second)
    #expect(Tensor.uniform([64], 0..<1, &first).values() == Tensor.uniform([64], 0..<1, &second).values())
    var third = Generator(seed: 8)
    #expect(Tensor.normal([64], &third).values() != Tensor.normal([64], &second).values())
  }

  @Test func anElementDoesNotDependOnTheShape() {
    var first = Generator(seed: 7), second = Generator(seed: 7)
    #expect(Tensor.normal([4], &first).values() == Array(Tensor.normal([2, 8], &second).values().prefix(4)))
  }

  @Test func theStateIsSeedAndCounter() {
    var original = Generator(seed: 3)
    _ = Tensor.normal([5], &original)
    _ = original.next()
    var resumed = Generator(seed: original.seed, counter: original.counter)
    #expect(original.counter == 2)
    #expect(Tensor.uniform([5], 0..<1, &original).values() == Tensor.uniform([5], 0..<1, &resumed).values())
  }

  @Test func consecutiveTensorsDiffer() {
    var generator = Generator(seed: 1)
    #expect(Tensor.normal([16], &generator).values() != Tensor.normal([16], &generator).values())
  }

  @Test func derivedStreamsDifferAndDoNotAdvanceTheirParent() {
    let parent = Generator(seed: 5)
    let purposes = ["dropout", "order", "buffer", "heads.0.weight", "heads.1.weight", ""]
    var firsts = purposes.map { purpose in
      var child = parent.derived(purpose)
      return child.next()
    }
    var itself = parent
    firsts.append(itself.next())
    #expect(Set(firsts).count == firsts.count)
    #expect(parent.counter == 0)
    #expect(parent.derived("order") == parent.derived("order"))
    #expect(parent.derived("order") != Generator(seed: 6).derived("order"))
  }

  @Test func derivedStreamsAreUncorrelated() {
    var first = Generator(seed: 5).derived("a"), second = Generator(seed: 5).derived("b")
    let product = Tensor.normal([100_000], &first) * Tensor.normal([100_000], &second)
    #expect(abs(product.mean().item()) < 0.015, "standard error 0.003")
  }

  @Test func uniformValuesHaveTheRightMoments() {
    var generator = Generator(seed: 11)
    let x = Tensor.uniform([200_000], -1..<3, &generator)
    let moments = Moments(x)
    #expect(abs(moments.mean - 1) < 0.015)
    #expect(abs(moments.variance - 16.0 / 12) < 0.015)
    #expect(abs(moments.kurtosis - 1.8) < 0.02)
    #expect(x.min(0).item() >= -1 && x.max(0).item() <= 3)
  }

  @Test func normalValuesHaveTheRightMoments() {
    var generator = Generator(seed: 12)
    let moments = Moments(Tensor.normal([200_000], mean: 2, deviation: 3, &generator))
    #expect(abs(moments.mean - 2) < 0.035)
    #expect(abs(moments.variance - 9) < 0.15)
    #expect(abs(moments.skewness) < 0.03)
    #expect(abs(moments.kurtosis - 3) < 0.06)
  }

  @Test func dtypesGetTheSameValuesRounded() {
    var first = Generator(seed: 9), second = Generator(seed: 9)
    let wide = Tensor.normal([32], &first, dtype: .float64), narrow = Tensor.normal([32], &second, dtype: .bfloat16)
    #expect(wide.to(.bfloat16).values() == narrow.values())
  }

  /// In a process of its own, for the number of threads belongs to the whole process.
  @Test func valuesDoNotDependOnTheNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      func draw(_ threads: Int) -> [[Float]] {
        Runtime.threads = threads
        precondition(Runtime.threads == threads)
        var generator = Generator(seed: 21)
        let normal = Tensor.normal([300_000], &generator), uniform = Tensor.uniform([300_000], 0..<1, &generator)
        return [normal, uniform, normal.dropout(0.3, &generator), normal.to(.bfloat16).dropout(0.3, &generator)]
          .map { $0.values() }
      }
      precondition(draw(1) == draw(2), "one thread and two threads give different values")
    }
  }
}
