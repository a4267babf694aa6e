import Testing
import Torch

@Suite struct ShapeTests {
  private let x = Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3])

  @Test func reshapingKeepsTheOrder() {
    #expect(difference(x.reshaped(3, 2), [0, 1, 2, 3, 4, 5], shape: [3, 2]) == nil)
    #expect(x.reshaped([-1]).shape == [6])
    #expect(x.reshaped(3, -1).shape == [3, 2])
  }

  @Test func transposesAndPermutationsMoveDimensions() {
    #expect(difference(x.t, [0, 3, 1, 4, 2, 5], shape: [3, 2]) == nil)
    #expect(difference(x.transposed(0, 1).contiguous(), [0, 3, 1, 4, 2, 5]) == nil)
    #expect(x.reshaped(1, 2, 3).permuted(2, 0, 1).shape == [3, 1, 2])
  }

  @Test func singleDimensionsComeAndGo() {
    #expect(x.unsqueezed(1).shape == [2, 1, 3])
    #expect(x.unsqueezed(-1).shape == [2, 3, 1])
    #expect(x.unsqueezed(0).squeezed(0).shape == [2, 3])
    #expect(x.squeezed(0).shape == [2, 3], "a larger dimension stays")
    #expect(
      difference(Tensor([1, 2] as [Float], shape: [2, 1]).expanded([-1, 2]), [1, 1, 2, 2], shape: [2, 2]) == nil)
  }

  @Test func slicesShareMemory() {
    let y = x.clone()
    let middle = y.narrowed(1, 1..<3)
    #expect(difference(middle, [1, 2, 4, 5], shape: [2, 2]) == nil)
    middle.fill(9)
    #expect(difference(y, [0, 9, 9, 3, 9, 9]) == nil)
    #expect(difference(x.at(0, 1), [3, 4, 5], shape: [3]) == nil)
    #expect(difference(x.at(1, -1), [2, 5], shape: [2]) == nil)
  }

  @Test func indicesPickSlicesAndElements() {
    #expect(difference(x.gathered(1, Tensor([2, 0] as [Int64])), [2, 0, 5, 3], shape: [2, 2]) == nil)
    let index = Tensor([2, 0] as [Int64], shape: [2, 1])
    #expect(difference(x.taken(1, index), [2, 3], shape: [2, 1]) == nil)
  }

  @Test func oneHotMarksTheClass() {
    let hot = Tensor([2, 0] as [Int64]).oneHot(3)
    #expect(hot.dtype == .int64)
    #expect(hot.shape == [2, 3])
    #expect(hot.scalars(Int64.self) == [0, 0, 1, 1, 0, 0])
  }

  @Test func listsJoin() {
    #expect(difference(.concatenated([x, x.narrowed(0, 0..<1)]), [0, 1, 2, 3, 4, 5, 0, 1, 2], shape: [3, 3]) == nil)
    #expect(Tensor.concatenated([x, x], 1).shape == [2, 6])
    #expect(difference(.stacked([x.at(0, 0), x.at(0, 1)], 1), [0, 3, 1, 4, 2, 5], shape: [3, 2]) == nil)
  }
}
