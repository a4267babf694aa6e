import CTorch

extension Tensor {
  public func abs() -> Tensor { unary("abs", ct_abs) }
  public func exp() -> Tensor { unary("exp", ct_exp) }
  public func log() -> Tensor { unary("log", ct_log) }
  public func sqrt() -> Tensor { unary("sqrt", ct_sqrt) }
  public func rsqrt() -> Tensor { unary("rsqrt", ct_rsqrt) }
  public func squared() -> Tensor { unary("squared", ct_square) }
  public func reciprocal() -> Tensor { unary("reciprocal", ct_reciprocal) }
  public func tanh() -> Tensor { unary("tanh", ct_tanh) }
  public func sigmoid() -> Tensor { unary("sigmoid", ct_sigmoid) }
  public func relu() -> Tensor { unary("relu", ct_relu) }
  public func silu() -> Tensor { unary("silu", ct_silu) }
  public func softplus() -> Tensor { unary("softplus", ct_softplus) }
  public func sign() -> Tensor { unary("sign", ct_sign) }
  public func sin() -> Tensor { unary("sin", ct_sin) }
  public func cos() -> Tensor { unary("cos", ct_cos) }
  public func floor() -> Tensor { unary("floor", ct_floor) }
  /// True where the element is neither infinite nor NaN.
  public func isFinite() -> Tensor { unary("isFinite", ct_isfinite) }
  /// A new tensor with the same values, part of the same graph.
  public func clone() -> Tensor { unary("clone", ct_clone) }
  /// The same values outside the autograd graph.
  public func detached() -> Tensor { unary("detached", ct_detach) }
  public func contiguous() -> Tensor { unary("contiguous", ct_contiguous) }

  /// x·Φ(x); with `approximate`, its tanh form (Hendrycks & Gimpel 2016, arXiv 1606.08415).
  public func gelu(approximate: Bool = false) -> Tensor {
    make("gelu", [self]) { ct_gelu(pointer, approximate, $0) }
  }
  public func clamped(_ range: ClosedRange<Double>) -> Tensor {
    make("clamped", [self]) { ct_clamp(pointer, range.lowerBound, range.upperBound, $0) }
  }
  public func pow(_ exponent: Double) -> Tensor {
    make("pow", [self]) { ct_pow_scalar(pointer, exponent, $0) }
  }

  /// Element-wise maximum, with broadcasting.
  public func maximum(_ other: Tensor) -> Tensor { binary("maximum", other, ct_maximum) }
  public func minimum(_ other: Tensor) -> Tensor { binary("minimum", other, ct_minimum) }

  /// `value` where `mask` (bool, broadcastable) is true, else the element.
  public func masked(where mask: Tensor, by value: Double) -> Tensor {
    make("masked", [self, mask]) { ct_masked_fill(pointer, mask.pointer, value, $0) }
  }

  /// `x` where `condition` (bool) is true, else `y`; all three broadcast.
  public static func select(_ condition: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
    make("select", [condition, x, y]) { ct_where(condition.pointer, x.pointer, y.pointer, $0) }
  }

  func unary(
    _ name: String, _ function: (OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?) -> Int32
  ) -> Tensor {
    make(name, [self]) { function(pointer, $0) }
  }

  func binary(
    _ name: String, _ other: Tensor,
    _ function: (OpaquePointer?, OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?) -> Int32
  ) -> Tensor {
    make(name, [self, other]) { function(pointer, other.pointer, $0) }
  }
}

// Operators broadcast as NumPy does and promote dtypes as libtorch does.
extension Tensor {
  public static prefix func - (x: Tensor) -> Tensor { x.unary("negate", ct_neg) }
  public static func + (x: Tensor, y: Tensor) -> Tensor { x.binary("+", y, ct_add) }
  public static func - (x: Tensor, y: Tensor) -> Tensor { x.binary("-", y, ct_sub) }
  public static func * (x: Tensor, y: Tensor) -> Tensor { x.binary("*", y, ct_mul) }
  public static func / (x: Tensor, y: Tensor) -> Tensor { x.binary("/", y, ct_div) }
  public static func + (x: Tensor, y: Double) -> Tensor { make("+", [x]) { ct_add_scalar(x.pointer, y, $0) } }
  public static func - (x: Tensor, y: Double) -> Tensor { x + (-y) }
  public static func * (x: Tensor, y: Double) -> Tensor { make("*", [x]) { ct_mul_scalar(x.pointer, y, $0) } }
  public static func * (x: Double, y: Tensor) -> Tensor { y * x }
  public static func / (x: Tensor, y: Double) -> Tensor { x * (1 / y) }

  // Comparisons give bool tensors; the dot keeps them apart from Swift's Equatable.
  public static func .== (x: Tensor, y: Tensor) -> Tensor { x.binary("==", y, ct_eq) }
  public static func .!= (x: Tensor, y: Tensor) -> Tensor { x.binary("!=", y, ct_ne) }
  public static func .< (x: Tensor, y: Tensor) -> Tensor { x.binary("<", y, ct_lt) }
  public static func .<= (x: Tensor, y: Tensor) -> Tensor { x.binary("<=", y, ct_le) }
  public static func .> (x: Tensor, y: Tensor) -> Tensor { x.binary(">", y, ct_gt) }
  public static func .>= (x: Tensor, y: Tensor) -> Tensor { x.binary(">=", y, ct_ge) }
  public static func .& (x: Tensor, y: Tensor) -> Tensor { x.binary("and", y, ct_logical_and) }
  public static func .| (x: Tensor, y: Tensor) -> Tensor { x.binary("or", y, ct_logical_or) }
  public static prefix func .! (x: Tensor) -> Tensor { x.unary("not", ct_logical_not) }
}

infix operator .& : LogicalConjunctionPrecedence
infix operator .| : LogicalDisjunctionPrecedence
prefix operator .!
