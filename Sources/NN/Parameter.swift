public import Torch

/// What a parameter belongs to; plans choose what trains by it.
public enum ParameterRole: String, Sendable, Codable { case backbone, head, adapter }

/// A named, trainable tensor.
///
/// `value` is the leaf that the forward pass reads, in the compute dtype. `master` is the float32 truth that
/// optimizers, penalties, snapshots and checkpoints use; in float32 both are one tensor. A frozen bfloat16
/// parameter has no master until it is first asked for, so that a frozen base is held once; one that was loaded from
/// another dtype keeps what was loaded until then, for the compute dtype may have rounded it.
public final class Parameter {
  /// The name in the reference checkpoint (`encoder.layer.0.attention.self.query.weight`).
  public let name: String
  public let role: ParameterRole
  public private(set) var value: Tensor
  private var storedMaster: Tensor?
  /// What the value was rounded from, where no master has been made of it yet.
  private var unrounded: Tensor?
  private var own: Tensor?
  private(set) var exchanged: Tensor?

  /// int64 `[k]`, rising: the rows of dimension 0 that the next update touches, their moments included; nil for all. For
  /// AdamW and Adam; whoever names rows takes the name back after the update.
  public var updatedRows: Tensor?

  private let initialize: (() -> Tensor)?

  /// `initial` is in any floating dtype, on any device; the compute copy is made in `dtype` on `device` (nil for that of
  /// `initial`). `initialize` makes the initial values again, where they do not come from a checkpoint.
  public init(
    name: String, role: ParameterRole, initial: Tensor, dtype: DType, device: Device? = nil,
    initialize: (() -> Tensor)? = nil
  ) {
    self.name = name
    self.role = role
    self.initialize = initialize
    value = initial.to(dtype, device: device)
    guard dtype != .float32, initial.dtype != dtype else { return }
    // What has another dtype stays where it lies, mapped from its file, until a master is made of it.
    if initial.dtype == .float32 { storedMaster = initial.to(device: device) } else { unrounded = initial }
  }

  public var shape: [Int] { value.shape }
  public var count: Int { value.count }

  /// The float32 values, same memory as `value` where the compute dtype is float32. Mutated in place by training.
  public var master: Tensor {
    let master = unkeptMaster
    if value.dtype != .float32 { (storedMaster, unrounded) = (master, nil) }
    return master
  }

  private var unkeptMaster: Tensor {
    if let storedMaster { return storedMaster }
    let held = (unrounded ?? own ?? value).detached()
    return held.to(.float32, device: value.device)
  }

  /// Whether gradients are computed and the optimizer updates it.
  public var isTrainable: Bool {
    get { value.requiresGradient }
    set { value.setRequiresGradient(newValue) }
  }

  /// The accumulated gradient, in the compute dtype.
  public var gradient: Tensor? {
    get { value.gradient }
    set { value.gradient = newValue }
  }

  /// Multiplies the gradient, where there is one, by a float32 factor that broadcasts over it.
  public func multiplyGradient(by factor: Tensor) {
    guard let gradient else { return }
    withoutGradient { gradient.copy(from: (gradient.to(.float32) * factor).to(gradient.dtype)) }
  }

  /// Replaces the values (any floating dtype, same shape), keeping the tensors' identity.
  public func assign(_ source: Tensor) {
    precondition(source.shape == shape, "assign to \(name) \(shape): the source has shape \(source.shape)")
    withoutGradient {
      if value.dtype != .float32 { master.copy(from: source) }
      value.detached().copy(from: source)
    }
  }

  /// Goes back to the values the parameter was made with; nothing happens where those came from a checkpoint.
  public func reset() {
    if let initialize { assign(initialize()) }
  }

  /// The float32 values that the forward pass reads now: the master, or what `ParameterStore.withValues` put in place.
  public var current: Tensor { exchanged ?? master }

  /// `current`, but a master that is made for it is not kept: for a look at every weight of a frozen base.
  public var unkept: Tensor { exchanged ?? unkeptMaster }

  /// Puts other float32 values in place of the value, or (nil) takes them away; training state is untouched.
  func exchange(_ other: Tensor?) {
    if let other {
      if exchanged == nil { own = value }
      (exchanged, value) = (other, other.to(value.dtype))
    } else if let own {
      (exchanged, value, self.own) = (nil, own, nil)
    }
  }
}
