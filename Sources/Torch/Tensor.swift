import CTorch

/// An n-dimensional array on a device, possibly part of an autograd graph.
///
/// A small value over one owned libtorch handle: copying it copies a reference, operators are pure.
/// Not `Sendable`: what crosses threads is integers, `Data` and metrics.
public struct Tensor {
  let handle: Handle

  init(owning pointer: OpaquePointer) { handle = Handle(pointer) }

  /// Sizes of the dimensions, outermost first.
  public var shape: [Int] { (0..<rank).map { Int(ct_size(pointer, Int32($0))) } }
  public var rank: Int { Int(ct_rank(pointer)) }
  /// Number of elements.
  public var count: Int { Int(ct_count(pointer)) }
  public var dtype: DType { DType(ct_dtype_of(pointer)) }
  public var device: Device { Device(ct_device_of(pointer)) }
  public var requiresGradient: Bool { ct_requires_gradient(pointer) }
  /// Size in bytes.
  public var byteCount: Int { count * dtype.byteWidth }

  /// The size of dimension `index`; negative indices count from the end.
  public func size(_ index: Int) -> Int {
    let dimension = index < 0 ? rank + index : index
    precondition(dimension >= 0 && dimension < rank, "size(\(index)) of a tensor of shape \(shape)")
    return Int(ct_size(pointer, Int32(dimension)))
  }

  /// Whether both are the same tensor object (not: equal values).
  public func isIdentical(to other: Tensor) -> Bool { ct_is_same(pointer, other.pointer) }

  var pointer: OpaquePointer { handle.pointer }

  final class Handle {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { ct_free(pointer) }
  }
}

extension Tensor: CustomStringConvertible {
  /// Shape, dtype and device; the values only of tensors of at most 16 elements.
  public var description: String {
    let values = count <= 16 ? " \(detached().values())" : ""
    return "\(dtype) \(shape) on \(device)\(values)"
  }
}

/// Runs a shim call that makes one tensor; a failure is the caller's bug and traps with operation and shapes.
func make(
  _ operation: @autoclosure () -> String, _ inputs: [Tensor],
  _ body: (UnsafeMutablePointer<OpaquePointer?>) -> Int32
) -> Tensor {
  withExtendedLifetime(inputs) {
    var out: OpaquePointer?
    guard body(&out) == 0, let pointer = out else { fail(operation(), inputs) }
    return Tensor(owning: pointer)
  }
}

/// Runs a shim call that makes no tensor.
func perform(_ operation: @autoclosure () -> String, _ inputs: [Tensor], _ body: () -> Int32) {
  withExtendedLifetime(inputs) {
    if body() != 0 { fail(operation(), inputs) }
  }
}

private func fail(_ operation: String, _ inputs: [Tensor]) -> Never {
  let reason = String(cString: ct_last_error())
  let operands = inputs.map { "\($0.dtype) \($0.shape)" }.joined(separator: ", ")
  fatalError("\(operation)(\(operands)): \(reason)")
}
