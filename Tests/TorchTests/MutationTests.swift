import Testing
import Torch

@Suite struct MutationTests {
  @Test func additionAndProductWriteInPlace() {
    let x = Tensor([1, 2] as [Float])
    let alias = x.detached()
    x.add(Tensor([10, 20] as [Float]))
    #expect(difference(alias, [11, 22]) == nil, "the same memory")
    x.add(Tensor([1] as [Float]), scale: -2)
    #expect(difference(x, [9, 20]) == nil)
    x.multiply(by: Tensor([2, 0.5] as [Float]))
    #expect(difference(x, [18, 10]) == nil)
    x.multiply(by: 0.5)
    #expect(difference(x, [9, 5]) == nil)
  }

  @Test func copiesConvertAndBroadcast() {
    let x = Tensor.zeros([2, 2], dtype: .bfloat16)
    x.copy(from: Tensor([1.003, 3] as [Float]))
    #expect(x.dtype == .bfloat16)
    #expect(x.values() == [1, 3, 1, 3])
    x.fill(-1)
    #expect(x.values() == [-1, -1, -1, -1])
  }

  @Test func slicesAreFilledAndReplaced() {
    let x = Tensor.zeros([3, 2]), index = Tensor([2, 0] as [Int64])
    x.copy(from: Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]), at: index)
    #expect(difference(x, [3, 4, 0, 0, 1, 2]) == nil)
    x.fill(9, at: Tensor([1] as [Int64]), dimension: 1)
    #expect(difference(x, [3, 9, 0, 9, 1, 9]) == nil)
    x.fill(0, at: index, dimension: 0)
    #expect(difference(x, [0, 0, 0, 9, 0, 0]) == nil)
  }

  @Test func aCloneIsIndependent() {
    let x = Tensor([1] as [Float]), copy = x.clone()
    x.fill(5)
    #expect(copy.item() == 1)
  }
}
