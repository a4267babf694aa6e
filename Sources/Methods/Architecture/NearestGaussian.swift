import Continual
import Torch

/// Which experience a text is nearest to: a Gaussian for each class of each experience, all of one covariance.
///
/// The means μ_c are those of a class's vectors. The covariance Σ is the mean over experiences of the mean covariance of
/// their classes, each divided by n − 1. d(x) = min_c (x − μ_c)ᵀ·Σ⁺·(x − μ_c); Σ⁺ leaves out directions whose variance is
/// below float32's precision times their number, as `torch.linalg.pinv` does.
struct NearestGaussian {
  /// The experiences with vectors, in order.
  let experiences: [Int]
  /// For each of them the means `[classes, directions]`, their directions scaled to a variance of 1.
  private let means: [Tensor]
  /// `[width, directions]`: what scales them so.
  private let whitening: Tensor

  /// Adds what an experience's vectors `[n, width]` and their classes say to the group `gaussians` of a state.
  static func add(_ vectors: Tensor, classes: [Int], experience: Int, to state: inout MethodState) {
    let x = exact(vectors), width = x.size(1)
    let groups = Dictionary(grouping: classes.indices) { classes[$0] }.sorted { $0.key < $1.key }.map { rows in
      x.gathered(0, Tensor(rows.value.map(Int64.init)))
    }
    let covariances = groups.filter { $0.size(0) > 1 }.map { group in
      let centred = group - group.mean(0, keep: true)
      return centred.t.matmul(centred) / Double(group.size(0) - 1)
    }
    let none = Tensor.zeros([width, width], dtype: .float64)
    let mean = covariances.reduce(none, +) / Double(max(1, covariances.count))
    let sum = (state["gaussians"]["covariance"].map(exact) ?? none) + mean
    state["gaussians"]["covariance"] = sum.to(.float32)
    state["gaussians"]["mean.\(experience)"] = Tensor.stacked(groups.map { $0.mean(0) }).to(.float32)
  }

  /// What was added to a state; nil where nothing was.
  init?(_ state: MethodState) {
    let group = state["gaussians"]
    experiences = group.keys.compactMap { Int($0.dropFirst("mean.".count)) }.sorted()
    guard let sum = group["covariance"] else { return nil }
    let (u, s, _) = (Self.exact(sum) / Double(experiences.count)).singularValues()
    let variances = s.scalars(Double.self), least = (variances.first ?? 0) * Double(Float.ulpOfOne) * Double(s.size(0))
    let kept = 0..<variances.count { $0 > least }
    whitening = u.narrowed(1, kept) * s.narrowed(0, kept).rsqrt()
    means = experiences.compactMap { [whitening] in group["mean.\($0)"].map { Self.exact($0).matmul(whitening) } }
  }

  /// The squared Mahalanobis distance of each of `vectors [rows, width]` to each experience's nearest class, float64
  /// `[rows, experiences]`.
  func distances(to vectors: Tensor) -> Tensor {
    let x = Self.exact(vectors).matmul(whitening)
    return .stacked(
      means.map { means in
        let distances = (0..<means.size(0)).map { (x - means.narrowed(0, $0..<$0 + 1)).squared().sum(1) }
        return Tensor.stacked(distances, 1).min(1)
      }, 1)
  }

  /// The nearest experience of each row.
  func choose(for vectors: Tensor) -> [Int] {
    (-distances(to: vectors)).argmax(1).scalars(Int64.self).map { experiences[Int($0)] }
  }

  /// Computed in float64 on the CPU, kept in float32.
  private static func exact(_ x: Tensor) -> Tensor { x.to(device: .cpu).to(.float64) }
}
