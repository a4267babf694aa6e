import Foundation
import Testing
import Torch

@Suite struct ElementwiseTests {
  private let x = Tensor([-2, -0.5, 0, 0.5, 2] as [Float])
  private let inputs: [Float] = [-2, -0.5, 0, 0.5, 2]

  private func check(_ name: String, _ tensor: Tensor, _ function: (Double) -> Double) {
    #expect(difference(tensor, inputs.map { Float(function(Double($0))) }, shape: [5]) == nil, "\(name)")
  }

  @Test func unaryFunctionsEqualTheirFormulas() {
    check("negate", -x) { -$0 }
    check("abs", x.abs(), abs)
    check("exp", x.exp(), exp)
    check("squared", x.squared()) { $0 * $0 }
    check("tanh", x.tanh(), tanh)
    check("sigmoid", x.sigmoid()) { 1 / (1 + exp(-$0)) }
    check("relu", x.relu()) { max(0, $0) }
    check("silu", x.silu()) { $0 / (1 + exp(-$0)) }
    check("softplus", x.softplus()) { log(1 + exp($0)) }
    check("sign", x.sign()) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    check("sin", x.sin(), sin)
    check("cos", x.cos(), cos)
    check("floor", x.floor()) { $0.rounded(.down) }
    check("clone", x.clone()) { $0 }
    check("contiguous", x.contiguous()) { $0 }
    check("clamped", x.clamped(-1...0.25)) { min(max($0, -1), 0.25) }
    check("gelu", x.gelu()) { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
    check("gelu, tanh form", x.gelu(approximate: true)) { value in
      0.5 * value * (1 + tanh((2 / Double.pi).squareRoot() * (value + 0.044715 * value * value * value)))
    }
  }

  @Test func functionsOfPositiveNumbersEqualTheirFormulas() {
    let y = Tensor([0.25, 1, 4] as [Float])
    #expect(difference(y.log(), [-1.3862944, 0, 1.3862944]) == nil)
    #expect(difference(y.sqrt(), [0.5, 1, 2]) == nil)
    #expect(difference(y.rsqrt(), [2, 1, 0.5]) == nil)
    #expect(difference(y.reciprocal(), [4, 1, 0.25]) == nil)
    #expect(difference(y.pow(1.5), [0.125, 1, 8]) == nil)
  }

  @Test func onlyNumbersAreFinite() {
    let finite = Tensor([1, .infinity, -.infinity, .nan, 0] as [Float]).isFinite()
    #expect(finite.dtype == .bool)
    #expect(finite.scalars(Bool.self) == [true, false, false, false, true])
  }

  @Test func arithmeticBroadcasts() {
    let column = Tensor([1, 2] as [Float], shape: [2, 1]), row = Tensor([10, 20, 40] as [Float])
    #expect(difference(column + row, [11, 21, 41, 12, 22, 42], shape: [2, 3]) == nil)
    #expect(difference(column - row, [-9, -19, -39, -8, -18, -38], shape: [2, 3]) == nil)
    #expect(difference(column * row, [10, 20, 40, 20, 40, 80], shape: [2, 3]) == nil)
    #expect(difference(row / column, [10, 20, 40, 5, 10, 20], shape: [2, 3]) == nil)
    #expect(difference(column.maximum(Tensor([1.5] as [Float])), [1.5, 2]) == nil)
    #expect(difference(column.minimum(Tensor([1.5] as [Float])), [1, 1.5]) == nil)
  }

  @Test func numbersStandOnEitherSide() {
    let y = Tensor([1, -3] as [Float])
    #expect(difference(y + 2, [3, -1]) == nil)
    #expect(difference(y - 2, [-1, -5]) == nil)
    #expect(difference(y * 2, [2, -6]) == nil)
    #expect(difference(2 * y, [2, -6]) == nil)
    #expect(difference(y / 2, [0.5, -1.5]) == nil)
  }

  @Test func comparisonsGiveBooleans() {
    let a = Tensor([1, 2, 3] as [Float]), b = Tensor([2] as [Float])
    let comparisons: [(Tensor, [Bool])] = [
      (a .== b, [false, true, false]), (a .!= b, [true, false, true]), (a .< b, [true, false, false]),
      (a .<= b, [true, true, false]), (a .> b, [false, false, true]), (a .>= b, [false, true, true]),
    ]
    for (tensor, expected) in comparisons { #expect(tensor.scalars(Bool.self) == expected) }
  }

  @Test func logicCombinesBooleans() {
    let a = Tensor([true, true, false, false]), b = Tensor([true, false, true, false])
    #expect((a .& b).scalars(Bool.self) == [true, false, false, false])
    #expect((a .| b).scalars(Bool.self) == [true, true, true, false])
    #expect((.!a).scalars(Bool.self) == [false, false, true, true])
    let x = Tensor([1, 2, 3, 4] as [Float])
    let inside = x .> Tensor([1] as [Float]) .& x .< Tensor([4] as [Float])
    #expect(inside.scalars(Bool.self) == [false, true, true, false])
  }

  @Test func masksChooseElements() {
    let a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]), columns = Tensor([true, false])
    #expect(difference(a.masked(where: columns, by: -9), [-9, 2, -9, 4], shape: [2, 2]) == nil)
    #expect(difference(Tensor.select(columns, a, -a), [1, -2, 3, -4], shape: [2, 2]) == nil)
  }

  @Test func dtypesPromoteAsInLibtorch() {
    let whole = Tensor([1, 2] as [Int64]), single = Tensor([1, 2] as [Float]), double = Tensor([1, 2] as [Double])
    let brain = single.to(.bfloat16), half = single.to(.float16), small = Tensor([1, 2] as [UInt8])
    #expect((whole + single).dtype == .float32)
    #expect((single * double).dtype == .float64)
    #expect((brain + single).dtype == .float32)
    #expect((brain * whole).dtype == .bfloat16)
    #expect((brain + half).dtype == .float32)
    #expect((small + Tensor([1, 2] as [Int32])).dtype == .int32)
    #expect((whole / whole).dtype == .float32)
    #expect((whole * 2).dtype == .float32, "a number is a floating-point scalar")
    #expect((brain * 2).dtype == .bfloat16)
    #expect((Tensor([true]) .== Tensor([1] as [Int64])).dtype == .bool)
  }
}
