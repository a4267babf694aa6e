import Continual
import NN
import TestSupport
import Testing
import Torch

@testable import Methods

@Suite struct QuadraticPenaltyTests {
  static let theta: [Float] = [0.5, -1, 2, 0.25]
  static let importance: [[Float]] = [[1, 0.5, 0, 0], [2, 0, 3, 0], [0.25, 4, 1, 0]]
  static let anchors: [[Float]] = [[0, 1, 2, 3], [1, -1, 0.5, 2], [-0.5, 0.75, 1, 1]]

  /// Three experiences of one parameter, added one after the other.
  private func penalty(dtype: DType = .float32) -> (parameter: Parameter, penalty: QuadraticPenalty) {
    let store = ParameterStore()
    let scope = Scope(store: store, dtype: dtype, device: .cpu, seed: 0)
    let parameter = scope.parameter("theta", [2, 2], .zeros)
    parameter.assign(Tensor(Self.theta, shape: [2, 2]))
    parameter.isTrainable = true
    var state = MethodState()
    for (importance, anchor) in zip(Self.importance, Self.anchors) {
      state.addQuadratic(
        importance: ["theta": Tensor(importance, shape: [2, 2])], anchor: ["theta": Tensor(anchor, shape: [2, 2])])
    }
    return (parameter, QuadraticPenalty(state, store))
  }

  /// Σⱼ Σᵢ Fⱼᵢ (θᵢ − θ*ⱼᵢ)², term by term.
  private func definition(_ theta: [Float]) -> Double {
    zip(Self.importance, Self.anchors).reduce(0) { sum, pair in
      sum + theta.indices.reduce(0) { $0 + Double(pair.0[$1] * (theta[$1] - pair.1[$1]) * (theta[$1] - pair.1[$1])) }
    }
  }

  @Test func equalsTheSumOverExperiencesInValueAndGradient() throws {
    let (parameter, penalty) = penalty()
    let value = try #require(penalty(strength: 3))
    #expect(abs(value.item() - 1.5 * definition(Self.theta)) < 1e-5)
    let gradient = try #require(value.gradients(of: [parameter.value])[0]).values()
    for index in Self.theta.indices {
      let expected = zip(Self.importance, Self.anchors).reduce(Float(0)) {
        $0 + 3 * $1.0[index] * (Self.theta[index] - $1.1[index])
      }
      #expect(abs(gradient[index] - expected) < 1e-5)
    }
  }

  @Test func theGradientIsThatOfFiniteDifferences() throws {
    let (parameter, penalty) = penalty()
    let value = try #require(penalty(strength: 1))
    let gradient = try #require(value.gradients(of: [parameter.value])[0]).values()
    for index in Self.theta.indices {
      let sides = try [Float(0.125), -0.125].map { shift in
        var moved = Self.theta
        moved[index] += shift
        parameter.assign(Tensor(moved, shape: [2, 2]))
        return try #require(penalty(strength: 1)).item()
      }
      #expect(abs((sides[0] - sides[1]) / 0.25 - Double(gradient[index])) < 1e-4)
    }
  }

  @Test func inBfloat16TheDistanceIsTheMasters() throws {
    let (parameter, penalty) = penalty(dtype: .bfloat16)
    // A step that bfloat16 cannot show.
    var moved = Self.theta
    moved[2] += 0.001
    parameter.assign(Tensor(moved, shape: [2, 2]))
    #expect(parameter.value.values()[2] == 2)
    let value = try #require(penalty(strength: 2))
    #expect(abs(value.item() - definition(moved)) < 1e-5)
    let gradient = try #require(value.gradients(of: [parameter.value])[0])
    #expect(gradient.dtype == .bfloat16)
    #expect(difference(gradient, Tensor([Float(-0.5), -16, 11.008, 0], shape: [2, 2]), atol: 0.05) == nil)
  }
}
