import CTorch

// The result has the shape of `self`, and its dtype: integers become float32 where the result is none.
extension Tensor {
  /// |x| of each element.
  public func abs() -> Tensor { unary("abs", ct_abs) }
  /// e^x of each element.
  public func exp() -> Tensor { unary("exp", ct_exp) }
  /// Natural logarithm of each element; NaN below 0.
  public func log() -> Tensor { unary("log", ct_log) }
  /// √x of each element; NaN below 0.
  public func sqrt() -> Tensor { unary("sqrt", ct_sqrt) }
  /// 1/√x of each element.
  public func rsqrt() -> Tensor { unary("rsqrt", ct_rsqrt) }
  /// x² of each element.
  public func squared() -> Tensor { unary("squared", ct_square) }
  /// 1/x of each element.
  public func reciprocal() -> Tensor { unary("reciprocal", ct_reciprocal) }
  /// Hyperbolic tangent of each element.
  public func tanh() -> Tensor { unary("tanh", ct_tanh) }
  /// 1/(1 + e^−x) of each element.
  public func sigmoid() -> Tensor { unary("sigmoid", ct_sigmoid) }
  /// max(x, 0) of each element.
  public func relu() -> Tensor { unary("relu", ct_relu) }
  /// x/(1 + e^−x) of each element.
  public func silu() -> Tensor { unary("silu", ct_silu) }
  /// log(1 + e^x) of each element.
  public func softplus() -> Tensor { unary("softplus", ct_softplus) }
  /// −1, 0 or 1 for each element.
  public func sign() -> Tensor { unary("sign", ct_sign) }
  /// Sine of each element, in radians.
  public func sin() -> Tensor { unary("sin", ct_sin) }
  /// Cosine of each element, in radians.
  public func cos() -> Tensor { unary("cos", ct_cos) }
  /// The largest integer that is not above each element.
  public func floor() -> Tensor { unary("floor", ct_floor) }
  /// Bool: true where the element is neither infinite nor NaN.
  public func isFinite() -> Tensor { unary("isFinite", ct_isfinite) }
  /// A new tensor with the same values, part of the same graph.
  public func clone() -> Tensor { unary("clone", ct_clone) }
  /// The same values outside the autograd graph.
  public func detached() -> Tensor { unary("detached", ct_detach) }
  /// The same values, row by row in memory: the tensor itself where they are already.
  public func contiguous() -> Tensor { unary("contiguous", ct_contiguous) }

  /// x·Φ(x); with `approximate`, its tanh form (Hendrycks & Gimpel 2016, arXiv 1606.08415).
  public func gelu(approximate: Bool = false) -> Tensor {
    make("gelu", [self]) { ct_gelu(pointer, approximate, $0) }
  }
  /// Each element brought into `range`.
  public func clamped(_ range: ClosedRange<Double>) -> Tensor {
    make("clamped", [self]) { ct_clamp(pointer, range.lowerBound, range.upperBound, $0) }
  }
  /// x^exponent of each element.
  public func pow(_ exponent: Double) -> Tensor {
    make("pow", [self]) { ct_pow_scalar(pointer, exponent, $0) }
  }

  /// Element-wise maximum, with broadcasting.
  public func maximum(_ other: Tensor) -> Tensor { binary("maximum", other, ct_maximum) }
  /// Element-wise minimum, with broadcasting.
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

// Operators broadcast as NumPy does and promote dtypes as libtorch does; with a number integers become
// float32. Shapes that do not broadcast trap.
extension Tensor {
  /// −x.
  public static prefix func - (x: Tensor) -> Tensor { x.unary("negate", ct_neg) }
  /// x + y, broadcast.
  public static func + (x: Tensor, y: Tensor) -> Tensor { x.binary("+", y, ct_add) }
  /// x − y, broadcast.
  public static func - (x: Tensor, y: Tensor) -> Tensor { x.binary("-", y, ct_sub) }
  /// x·y element by element, broadcast.
  public static func * (x: Tensor, y: Tensor) -> Tensor { x.binary("*", y, ct_mul) }
  /// x/y element by element, broadcast; of integers float32.
  public static func / (x: Tensor, y: Tensor) -> Tensor { x.binary("/", y, ct_div) }
  /// x + y of each element.
  public static func + (x: Tensor, y: Double) -> Tensor { make("+", [x]) { ct_add_scalar(x.pointer, y, $0) } }
  /// x − y of each element.
  public static func - (x: Tensor, y: Double) -> Tensor { x + (-y) }
  /// x·y of each element.
  public static func * (x: Tensor, y: Double) -> Tensor { make("*", [x]) { ct_mul_scalar(x.pointer, y, $0) } }
  /// x·y of each element.
  public static func * (x: Double, y: Tensor) -> Tensor { y * x }
  /// x/y of each element.
  public static func / (x: Tensor, y: Double) -> Tensor { x * (1 / y) }

  // Comparisons give bool tensors; the dot keeps them apart from Swift's Equatable.
  /// x = y, element by element: bool, broadcast.
  public static func .== (x: Tensor, y: Tensor) -> Tensor { x.binary("==", y, ct_eq) }
  /// x ≠ y, element by element: bool, broadcast.
  public static func .!= (x: Tensor, y: Tensor) -> Tensor { x.binary("!=", y, ct_ne) }
  /// x < y, element by element: bool, broadcast.
  public static func .< (x: Tensor, y: Tensor) -> Tensor { x.binary("<", y, ct_lt) }
  /// x ≤ y, element by element: bool, broadcast.
  public static func .<= (x: Tensor, y: Tensor) -> Tensor { x.binary("<=", y, ct_le) }
  /// x > y, element by element: bool, broadcast.
  public static func .> (x: Tensor, y: Tensor) -> Tensor { x.binary(">", y, ct_gt) }
  /// x ≥ y, element by element: bool, broadcast.
  public static func .>= (x: Tensor, y: Tensor) -> Tensor { x.binary(">=", y, ct_ge) }
  /// Both are true, element by element: bool, broadcast.
  public static func .& (x: Tensor, y: Tensor) -> Tensor { x.binary("and", y, ct_logical_and) }
  /// One is true, element by element: bool, broadcast.
  public static func .| (x: Tensor, y: Tensor) -> Tensor { x.binary("or", y, ct_logical_or) }
  /// False where the element is true or not zero: bool.
  public static prefix func .! (x: Tensor) -> Tensor { x.unary("not", ct_logical_not) }
}

infix operator .& : LogicalConjunctionPrecedence
infix operator .| : LogicalDisjunctionPrecedence
prefix operator .!
