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

/// An update of AdamW on the CPU.
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

  /// What an update of one parameter reads and writes.
  public struct Operands {
    /// The compute copy of `master`: the same tensor in float32, its rounding in bfloat16.
    public let value: Tensor
    /// Float32, as `first` and `second`, all of one shape.
    public let master: Tensor, gradient: Tensor, first: Tensor, second: Tensor
    /// A note for updates of the CPU to come, uint8 `[⌈elements / 256⌉]`: 0 where both moments of so many elements are
    /// zero, so that they need not be read while their gradient is zero, too. Ones where nothing is known.
    public let touched: Tensor?

    public init(
      value: Tensor, master: Tensor, gradient: Tensor, first: Tensor, second: Tensor, touched: Tensor? = nil
    ) {
      (self.value, self.master, self.gradient, self.first, self.second) = (value, master, gradient, first, second)
      self.touched = touched
    }

    /// A note for moments of so many elements, all of them zero or, where `areZero` is false, any numbers.
    public static func note(elements: Int, areZero: Bool) -> Tensor {
      let length = (elements + 255) / 256
      return areZero ? .zeros([length], dtype: .uint8) : .ones([length], dtype: .uint8)
    }
  }

  /// One update (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2, with constant η) of parameters that have seen as
  /// many updates, in one pass over their memory.
  public func apply(_ all: [Operands]) {
    var options = options
    func pointers(_ part: KeyPath<Operands, Tensor>) -> [OpaquePointer?] { all.map { $0[keyPath: part].pointer } }
    perform("adamw", all.map(\.master)) {
      ct_adamw(
        pointers(\.value), pointers(\.master), pointers(\.gradient), pointers(\.first), pointers(\.second),
        all.map { $0.touched?.pointer }, Int32(all.count), &options)
    }
  }

  /// The same of some rows of one parameter, the others' moments included staying as they are: `rows` (int64 `[k]`, rising)
  /// are those of dimension 0.
  public func apply(_ one: Operands, rows: Tensor) {
    var options = options
    perform("adamw", [one.value, one.master, one.gradient, one.first, one.second, rows]) {
      ct_adamw_rows(
        one.value.pointer, one.master.pointer, one.gradient.pointer, one.first.pointer, one.second.pointer,
        rows.pointer, &options)
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

/// An update of AdamW on an accelerator, by libtorch's fused one for lists.
///
/// All that changes from one update to the next stands on the device, so that a recording of it does the next one right.
public struct FusedAdamWStep {
  /// A float32 scalar on the device.
  public var rate: Tensor
  public var beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double
  /// Decoupled weight decay (AdamW) or L2 in the gradient (Adam).
  public var isDecoupled: Bool
  /// Multiplies each gradient as it is read, for clipping.
  public var gradientScale: Double

  public init(
    rate: Tensor, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, isDecoupled: Bool = true,
    gradientScale: Double = 1
  ) {
    (self.rate, self.beta1, self.beta2, self.epsilon) = (rate, beta1, beta2, epsilon)
    (self.weightDecay, self.isDecoupled, self.gradientScale) = (weightDecay, isDecoupled, gradientScale)
  }

  /// One update; `counts` are float32 scalars on the device, the updates that each parameter has seen, one more afterwards.
  public func apply(_ all: [AdamWStep.Operands], counts: [Tensor]) {
    var options = options
    func pointers(_ part: KeyPath<AdamWStep.Operands, Tensor>) -> [OpaquePointer?] {
      all.map { $0[keyPath: part].pointer }
    }
    perform("adamw", all.map(\.master) + counts) {
      ct_adamw_fused(
        pointers(\.value), pointers(\.master), pointers(\.gradient), pointers(\.first), pointers(\.second),
        counts.map { Optional($0.pointer) }, Int32(all.count), rate.pointer, &options)
    }
  }

  /// The same of some rows of one parameter, the others' moments included staying as they are: `rows` (int64 `[k]`) are
  /// those of dimension 0.
  public func apply(_ one: AdamWStep.Operands, count: Tensor, rows: Tensor) {
    var options = options
    perform("adamw", [one.value, one.master, one.gradient, one.first, one.second, rows]) {
      ct_adamw_fused_rows(
        one.value.pointer, one.master.pointer, one.gradient.pointer, one.first.pointer, one.second.pointer,
        count.pointer, rows.pointer, rate.pointer, &options)
    }
  }

  private var options: ct_adamw_options {
    ct_adamw_options(
      rate: 0, beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay, step: 0,
      decoupled: isDecoupled, gradient_scale: gradientScale)
  }
}
