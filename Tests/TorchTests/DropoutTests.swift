import Testing
import Torch

@Suite struct DropoutTests {
  @Test(arguments: [DType.float32, .bfloat16], [0.1, 0.5, 0.9])
  func keepsTheRightShareAndScalesIt(_ dtype: DType, _ probability: Double) {
    var generator = Generator(seed: 2)
    let y = Tensor.ones([100_000], dtype: dtype).dropout(probability, &generator)
    let kept = (y .!= Tensor.zeros([], dtype: dtype)).to(.float64).mean().item()
    #expect(abs(kept - (1 - probability)) < 0.008, "five standard errors")
    let scale = Tensor([Float(1 / (1 - probability))]).to(dtype).item()
    #expect(Set(y.values()) == [0, Float(scale)])
    #expect(y.dtype == dtype)
  }

  @Test(arguments: [DType.float32, .bfloat16]) func theBackwardMaskIsTheForwardMask(_ dtype: DType) throws {
    var generator = Generator(seed: 3)
    let x = Tensor.ones([333, 77], dtype: dtype)
    x.setRequiresGradient(true)
    let y = x.dropout(0.3, &generator)
    y.to(.float32).sum().backward()
    #expect(try #require(x.gradient).values() == y.values())
  }

  @Test func theMaskOfTheGradientIgnoresItsStrides() throws {
    var generator = Generator(seed: 3)
    let x = leaf([Float](repeating: 1, count: 12), [3, 4])
    let y = x.dropout(0.5, &generator)
    let weights = Tensor((1...12).map(Float.init), shape: [4, 3])
    (y.t * weights).sum().backward()
    #expect(try #require(x.gradient).values() == (y * weights.t).values())
  }

  @Test func equalKeysGiveEqualMasks() {
    var first = Generator(seed: 4), second = Generator(seed: 4)
    let x = Tensor.ones([1000])
    let one = x.dropout(0.5, &first).values()
    #expect(one == x.dropout(0.5, &second).values())
    var third = Generator(seed: 4)
    #expect(one == x.to(.bfloat16).dropout(0.5, &third).values(), "in bfloat16 too")
    #expect(one != x.dropout(0.5, &first).values(), "the next key gives another mask")
  }

  @Test func viewsAreMaskedByPosition() {
    var first = Generator(seed: 4), second = Generator(seed: 4)
    let x = Tensor((0..<12).map { Float($0 + 1) }, shape: [3, 4])
    #expect(x.t.dropout(0.5, &first).values() == x.t.contiguous().dropout(0.5, &second).values())
  }

  @Test func zeroProbabilityChangesAndDrawsNothing() {
    var generator = Generator(seed: 5)
    let x = Tensor.ones([3])
    #expect(x.dropout(0, &generator).isIdentical(to: x))
    #expect(generator.counter == 0)
  }

  @Test func droppedInfinitiesAreZero() {
    var generator = Generator(seed: 6)
    #expect(Set(Tensor.full([1000], .infinity).dropout(0.5, &generator).values()) == [0, .infinity])
  }
}
