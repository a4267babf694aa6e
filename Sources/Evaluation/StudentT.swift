import Foundation

/// Student's t distribution, through the regularized incomplete beta function.
enum StudentT {
  /// P(T ≤ t) with the given degrees of freedom.
  static func cumulative(_ t: Double, degrees: Double) -> Double {
    if t.isInfinite { return t > 0 ? 1 : 0 }
    let tail = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
    return t > 0 ? 1 - tail : tail
  }

  /// P(|T| ≥ |t|), free of the cancellation of 1 − cumulative.
  static func twoSided(_ t: Double, degrees: Double) -> Double {
    t.isInfinite ? 0 : incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  }

  /// The t with `P(|T| ≤ t) = confidence`, by bisection.
  static func quantile(confidence: Double, degrees: Double) -> Double {
    var low = 0.0, high = 1.0
    while twoSided(high, degrees: degrees) > 1 - confidence { high *= 2 }
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if twoSided(middle, degrees: degrees) > 1 - confidence { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// I_x(a, b), the regularized incomplete beta function.
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The continued fraction converges fast only on this side of the mean; symmetry gives the other.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(logFront) * continuedFraction(x, a, b) / a
  }

  /// Lentz's method for the continued fraction of the incomplete beta function.
  private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / away(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...300 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / away(1 + even * d)
      c = away(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / away(1 + odd * d)
      c = away(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return result
  }
}
