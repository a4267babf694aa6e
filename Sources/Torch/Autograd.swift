import CTorch

/// Runs `body` without recording operations. Restores the mode on every way out.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
  let before = ct_set_gradient_mode(false)
  defer { _ = ct_set_gradient_mode(before) }
  return try body()
}

/// Runs `body` in libtorch's inference mode: faster than `withoutGradient`, and what it makes can never enter a graph.
public func inference<Result>(_ body: () throws -> Result) rethrows -> Result {
  let guardHandle = ct_begin_inference()
  defer { ct_end_inference(guardHandle) }
  return try body()
}

extension Tensor {
  /// Adds d(self)/d(leaf) to the gradient of every leaf of the graph; `self` has one element.
  public func backward() { perform("backward", [self]) { ct_backward(pointer) } }

  /// The accumulated gradient of a leaf; nil where none arrived.
  public var gradient: Tensor? {
    get {
      var out: OpaquePointer?
      perform("gradient", [self]) { ct_gradient(pointer, &out) }
      return out.map(Tensor.init(owning:))
    }
    nonmutating set { perform("setGradient", [self]) { ct_set_gradient(pointer, newValue?.pointer) } }
  }

  /// Calls `body` whenever a backward pass has added to the gradient of this leaf; nil ends that.
  public func onGradient(_ body: (() -> Void)?) {
    guard let body else {
      return perform("onGradient", [self]) { ct_on_gradient(pointer, nil, nil, { _ in }) }
    }
    final class Box {
      let body: () -> Void
      init(_ body: @escaping () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    perform("onGradient", [self]) {
      ct_on_gradient(
        pointer, { context in context.map { Unmanaged<Box>.fromOpaque($0).takeUnretainedValue().body() } }, box,
        { context in context.map { Unmanaged<Box>.fromOpaque($0).release() } })
    }
  }

  /// Marks a leaf as trained or frozen.
  public func setRequiresGradient(_ enabled: Bool) {
    perform("setRequiresGradient", [self]) { ct_set_requires_gradient(pointer, enabled) }
  }

  /// d(self)/d(input) for each input, without touching accumulated gradients; nil where unused.
  public func gradients(of inputs: [Tensor], keepGraph: Bool = false) -> [Tensor?] {
    var out = [OpaquePointer?](repeating: nil, count: inputs.count)
    perform("gradients", [self] + inputs) {
      ct_gradients_of(pointer, inputs.map { Optional($0.pointer) }, Int32(inputs.count), keepGraph, &out)
    }
    return out.map { $0.map(Tensor.init(owning:)) }
  }

  /// √Σ‖gradient‖² over a list, not empty, of any shapes, as a float32 scalar that nothing waits for.
  public static func deviceNorm(_ gradients: [Tensor]) -> Tensor {
    make("deviceNorm", gradients) {
      ct_device_norm(gradients.map { Optional($0.pointer) }, Int32(gradients.count), $0)
    }
  }

  /// x ← x·factor for each of some tensors; `factor` is a scalar on their device.
  public static func multiply(_ tensors: [Tensor], by factor: Tensor) {
    perform("multiply", tensors + [factor]) {
      ct_mul_together_(tensors.map { Optional($0.pointer) }, Int32(tensors.count), factor.pointer)
    }
  }

  /// √Σ‖gradient‖² over a list of any shapes: squares are summed in float32 over parts of them, then in
  /// float64. Waits for the device.
  public static func globalNorm(_ gradients: [Tensor]) -> Double {
    var norm = 0.0
    perform("globalNorm", gradients) {
      ct_global_norm(gradients.map { Optional($0.pointer) }, Int32(gradients.count), &norm)
    }
    return norm
  }
}
