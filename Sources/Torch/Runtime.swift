import CTorch

/// Process-wide facts and switches of libtorch.
public enum Runtime {
  public static var torchVersion: String { String(cString: ct_torch_version()) }
  /// Tensor handles that are alive: a leak test compares it before and after.
  public static var liveHandles: Int { Int(ct_live_handles()) }
  /// Threads inside one operation. Set once at start.
  public static var threads: Int {
    get { Int(ct_threads()) }
    set { ct_set_threads(Int32(newValue)) }
  }
  /// Gives large tensors of the CPU memory of their own, which one step leaves to the next, and keeps fewer plans of
  /// products; before the first tensor is made. False where the system gives no room: tensors then stay where
  /// libtorch puts them.
  @discardableResult
  public static func keepFreedMemory() -> Bool { ct_keep_freed_memory() }
  /// Gives the kept memory back once: texts of another length leave blocks that the next experience may not fit.
  public static func releaseFreedMemory() { ct_release_freed_memory() }
  /// Asks libtorch for deterministic kernels (needed on CUDA; the CPU's are).
  public static func setDeterministic(_ enabled: Bool) { ct_set_deterministic(enabled) }
}

/// Fused optimizer steps over parameter memory.
public struct AdamWStep: Sendable {
  public var rate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double
  /// 1 on the first update.
  public var step: Int
  /// Decoupled weight decay (AdamW) or L2 in the gradient (Adam).
  public var isDecoupled: Bool
  /// Multiplies each gradient as it is read, for clipping.
  public var gradientScale: Double

  public init(
    rate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, step: Int,
    isDecoupled: Bool = true, gradientScale: Double = 1
  ) {
    (self.rate, self.beta1, self.beta2, self.epsilon) = (rate, beta1, beta2, epsilon)
    (self.weightDecay, self.step) = (weightDecay, step)
    (self.isDecoupled, self.gradientScale) = (isDecoupled, gradientScale)
  }

  /// One update (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2, with constant η).
  /// `value` is the compute copy of `master`: the same tensor in float32, its rounding in bfloat16.
  /// `master`, `first`, `second` are float32 of one shape. `rows` (int64 `[k]`, rising) are those of dimension 0 that are
  /// touched, moments included; nil for all.
  public func apply(
    value: Tensor, master: Tensor, gradient: Tensor, first: Tensor, second: Tensor, rows: Tensor? = nil
  ) {
    var options = options
    perform("adamw", [value, master, gradient, first, second] + (rows.map { [$0] } ?? [])) {
      ct_adamw(
        value.pointer, master.pointer, gradient.pointer, first.pointer, second.pointer, rows?.pointer,
        &options)
    }
  }

  /// What `apply(value:master:gradient:first:second:rows:)` reads and writes.
  public struct Operands {
    public let value: Tensor, master: Tensor, gradient: Tensor, first: Tensor, second: Tensor

    public init(value: Tensor, master: Tensor, gradient: Tensor, first: Tensor, second: Tensor) {
      (self.value, self.master, self.gradient, self.first, self.second) = (value, master, gradient, first, second)
    }
  }

  /// One update of several parameters on one device, by libtorch's own fused kernel for lists: few launches where each
  /// parameter by itself takes a dozen.
  public func apply(together all: [Operands]) {
    var options = options
    func pointers(_ part: KeyPath<Operands, Tensor>) -> [OpaquePointer?] { all.map { $0[keyPath: part].pointer } }
    perform("adamw", all.map(\.master)) {
      ct_adamw_together(
        pointers(\.value), pointers(\.master), pointers(\.gradient), pointers(\.first), pointers(\.second),
        Int32(all.count), &options)
    }
  }

  private var options: ct_adamw_options {
    ct_adamw_options(
      rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay,
      step: Int64(step), decoupled: isDecoupled, gradient_scale: gradientScale)
  }
}

/// The settings of one fused Adafactor update.
public struct AdafactorStep: Sendable {
  /// ρ, the decay of the averages, the decay of the weights.
  public var rate: Double, decay: Double, weightDecay: Double
  /// Multiplies the rate by the matrix's root mean square, 1e-3 at least.
  public var scalesByParameter: Bool
  /// Multiplies the gradient as it is read.
  public var gradientScale: Double

  public init(rate: Double, decay: Double, weightDecay: Double, scalesByParameter: Bool, gradientScale: Double) {
    (self.rate, self.decay, self.weightDecay) = (rate, decay, weightDecay)
    (self.scalesByParameter, self.gradientScale) = (scalesByParameter, gradientScale)
  }

  /// One update of a matrix (Shazeer & Stern 2018, arXiv 1804.04235, algorithm 4), in three passes over the gradient.
  /// `value` is the compute copy of `master [n, m]`: the same tensor in float32, its rounding in bfloat16; `gradient` has
  /// its dtype. `rows [n]` and `columns [m]` are the float32 averages of the squared gradient.
  /// - Returns: false, with nothing changed, where there is no such kernel: other shapes, dtypes and devices.
  public func apply(value: Tensor, master: Tensor, gradient: Tensor, rows: Tensor, columns: Tensor) -> Bool {
    var options = ct_adafactor_options(
      rate: rate, decay: decay, weight_decay: weightDecay, scales_by_parameter: scalesByParameter,
      gradient_scale: gradientScale)
    var done = false
    perform("adafactor", [value, master, gradient, rows, columns]) {
      ct_adafactor(
        value.pointer, master.pointer, gradient.pointer, rows.pointer, columns.pointer, &options, &done)
    }
    return done
  }
}
