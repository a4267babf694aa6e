import Foundation
import Testing
import Torch

@Suite struct ReductionTests {
  private let x = Tensor([1, 5, 3, 4, 2, 6] as [Float], shape: [2, 3])

  @Test func sumsAndMeansRunOverAllOrSomeDimensions() {
    #expect(difference(x.sum(), [21], shape: []) == nil)
    #expect(difference(x.sum(0), [5, 7, 9], shape: [3]) == nil)
    #expect(difference(x.sum(1, keep: true), [9, 12], shape: [2, 1]) == nil)
    #expect(difference(x.sum(0, 1), [21], shape: []) == nil)
    #expect(difference(x.mean(), [3.5], shape: []) == nil)
    #expect(difference(x.mean(-1), [3, 4], shape: [2]) == nil)
    #expect(difference(x.mean(0, keep: true), [2.5, 3.5, 4.5], shape: [1, 3]) == nil)
  }

  @Test func normsAreFloat32AlsoOfNarrowElements() {
    let y = Tensor([3, -4, 0, 0] as [Float], shape: [2, 2])
    #expect(difference(y.norm(), [5], shape: []) == nil)
    #expect(difference(y.norm(1, over: [1]), [7, 0], shape: [2]) == nil)
    #expect(difference(y.norm(over: [0], keep: true), [3, 4], shape: [1, 2]) == nil)
    #expect(difference(y.norm(.infinity), [4]) == nil)
    // 1000 ones in bfloat16 would stop at 256.
    let sum = Tensor.ones([1000], dtype: .bfloat16).norm(1)
    #expect(sum.dtype == .float32)
    #expect(sum.item() == 1000)
  }

  @Test func extremesAndTheirPlaces() {
    #expect(difference(x.max(0), [4, 5, 6], shape: [3]) == nil)
    #expect(difference(x.min(1, keep: true), [1, 2], shape: [2, 1]) == nil)
    #expect(x.argmax(1).scalars(Int64.self) == [1, 2])
    #expect(Tensor([7, 7, 7] as [Float]).argmax(0).item() == 0, "the first on ties")
  }

  @Test(arguments: [1, 15, 16, 1000]) func theFirstLargestPlaceOfEachRow(_ width: Int) {
    var random = Generator(seed: 4)
    let x = Tensor.normal([3, width], &random)
    let values = x.values(), rows = (0..<3).map { values[$0 * width..<($0 + 1) * width] }
    #expect(
      x.argmax(1).scalars(Int64.self) == rows.map { Int64(($0.firstIndex(of: $0.max() ?? 0) ?? 0) - $0.startIndex) })
    #expect(Tensor.zeros([2, width]).argmax(1).scalars(Int64.self) == [0, 0], "the first on ties")
    let broken = Tensor([Float](repeating: 1, count: width - 1) + [.nan], shape: [1, width])
    #expect(broken.argmax(1).scalars(Int64.self) == [Int64(width - 1)], "a NaN counts as the largest, as in PyTorch")
  }

  @Test func logSumExpSurvivesLargeNumbers() {
    let y = Tensor([1000, 1000, 0, 0] as [Float], shape: [2, 2])
    #expect(difference(y.logSumExp(1), [1000.6931, 0.6931472], shape: [2], atol: 1e-4) == nil)
    #expect(y.logSumExp(1, keep: true).shape == [2, 1])
  }

  @Test func runningSums() {
    #expect(difference(x.cumulativeSum(1), [1, 6, 9, 4, 6, 12], shape: [2, 3]) == nil)
  }

  @Test func allMeansEveryElement() {
    #expect(Tensor([true, true]).isAllTrue())
    #expect(!Tensor([true, false]).isAllTrue())
    #expect(!Tensor([1, 0] as [Float]).isAllTrue())
    #expect(Tensor.zeros([0], dtype: .bool).isAllTrue())
  }

  @Test func sortingIsStable() {
    let keys = Tensor([2, 1, 2, 1] as [Float])
    let up = keys.sorted(), down = keys.sorted(0, descending: true)
    #expect(difference(up.values, [1, 1, 2, 2]) == nil)
    #expect(up.indices.scalars(Int64.self) == [1, 3, 0, 2])
    #expect(down.indices.scalars(Int64.self) == [0, 2, 1, 3])
  }

  @Test func topKeepsTheLargest() {
    let top = x.top(2)
    #expect(difference(top.values, [5, 3, 6, 4], shape: [2, 2]) == nil)
    #expect(top.indices.scalars(Int64.self) == [1, 2, 2, 0])
    #expect(x.top(1, dimension: 0).indices.scalars(Int64.self) == [1, 0, 1])
  }
}
