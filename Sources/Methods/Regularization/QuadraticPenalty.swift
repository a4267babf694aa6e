import Continual
import NN
import Torch

/// strength/2 · Σⱼ Σᵢ Fⱼᵢ (θᵢ − θ*ⱼᵢ)² over the experiences j so far, for the parameters that train.
///
/// A sum of quadratics is one quadratic: with A = Σ Fⱼ and c = Σ Fⱼ θ*ⱼ / A it is A (θ − c)² + s, where the scatter
/// s of the anchors does not depend on θ. A, c and s are all that is stored, so memory does not grow with the
/// stream, while value and gradient are those of the definition.
struct QuadraticPenalty {
  private struct Term { let parameter: Parameter, importance: Tensor, anchor: Tensor }
  private let terms: [Term]
  private let scatter: Double

  /// Finds the parameters once, outside the steps.
  init(_ state: MethodState, _ parameters: ParameterStore) {
    let importance = state["importance"], anchor = state["anchor"]
    terms = parameters.all.compactMap { parameter in
      guard let weight = importance[parameter.name], let center = anchor[parameter.name] else { return nil }
      return Term(parameter: parameter, importance: weight, anchor: center)
    }
    scatter = state.numbers["scatter"] ?? 0
  }

  /// A scalar in the graph; nil where nothing is anchored.
  func callAsFunction(strength: Double) -> Tensor? {
    guard strength > 0 else { return nil }
    var total: Tensor?
    for term in terms where term.parameter.isTrainable {
      let value = Self.value(term)
      total = total.map { $0 + value } ?? value
    }
    return total.map { ($0 + scatter / 2) * strength }
  }

  /// ½ Σ F (θ − c)² of the float32 master, with its gradient F (θ − c) for the value that the forward pass reads.
  ///
  /// The distance is taken on the master because a bfloat16 value moves in steps coarser than most updates. The
  /// term `along` is zero and only carries the gradient: half the passes over memory of a square inside the graph.
  private static func value(_ term: Term) -> Tensor {
    let (pull, energy) = withoutGradient {
      let gap = term.parameter.master - term.anchor
      let pull = term.importance * gap
      return (pull, pull.dot(gap))
    }
    let along = pull.to(term.parameter.value.dtype).dot(term.parameter.value)
    return energy * 0.5 + (along - along.detached()).to(.float32)
  }
}

extension Tensor {
  /// Σ self·other. In float32 without a temporary; libtorch's bfloat16 dot product is slower than the product and sum.
  fileprivate func dot(_ other: Tensor) -> Tensor {
    dtype == .float32 ? reshaped(-1).matmul(other.reshaped(-1)) : (self * other).sum()
  }
}

extension MethodState {
  /// Adds Σ F (θ − θ*)² to the stored quadratic. `importance` may be a scalar that broadcasts to its anchor.
  mutating func addQuadratic(importance: [String: Tensor], anchor: [String: Tensor]) {
    var scatter = numbers["scatter"] ?? 0
    for (name, added) in importance.sorted(by: { $0.key < $1.key }) {
      guard let new = anchor[name] else { preconditionFailure("addQuadratic: \(name) has an importance, no anchor") }
      guard let held = self["importance"][name], let center = self["anchor"][name] else {
        self["importance"][name] = added
        self["anchor"][name] = new
        continue
      }
      let total = held + added
      // Where neither quadratic weighs anything the share is 0, not 0/0.
      let share = added / total.maximum(Tensor.full([], 1e-37, device: total.device))
      let gap = new - center
      scatter += (held * share * gap.squared()).sum().item()
      self["importance"][name] = total
      self["anchor"][name] = center + share * gap
    }
    numbers["scatter"] = scatter
  }
}

extension Learner {
  /// The parameters that regularization holds on to: those that train now, heads excluded.
  var regularized: [Parameter] { parameters.trainable.filter { $0.role != .head } }
}
