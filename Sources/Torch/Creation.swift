import CTorch

extension Tensor {
  /// A tensor of the given shape filled with `value`.
  public static func full(
    _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    make("full\(shape)", []) { ct_full(shape.int64, Int32(shape.count), value, dtype.number, device.number, $0) }
  }

  /// A tensor of the given shape filled with 0.
  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    full(shape, 0, dtype: dtype, device: device)
  }

  /// A tensor of the given shape filled with 1.
  public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    full(shape, 1, dtype: dtype, device: device)
  }

  /// Zeros of the same shape, dtype and device.
  public static func zeros(like other: Tensor) -> Tensor {
    zeros(other.shape, dtype: other.dtype, device: other.device)
  }

  /// `[start, start+1, …, end−1]`.
  public static func arange(_ range: Range<Int>, dtype: DType = .int64, device: Device = .cpu) -> Tensor {
    make("arange(\(range))", []) {
      ct_arange(Int64(range.lowerBound), Int64(range.upperBound), dtype.number, device.number, $0)
    }
  }

  /// The identity matrix `[n, n]`.
  public static func eye(_ n: Int, dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    make("eye(\(n))", []) { ct_eye(Int64(n), dtype.number, device.number, $0) }
  }

  /// Row-major values; `values.count` must equal the product of `shape`.
  public init<Scalar: TorchScalar>(_ values: [Scalar], shape: [Int]? = nil, device: Device = .cpu) {
    let sizes = shape ?? [values.count]
    precondition(
      sizes.reduce(1, *) == values.count, "Tensor: \(values.count) values do not fill the shape \(sizes)")
    self = values.withUnsafeBytes { Tensor(bytes: $0, shape: sizes, dtype: Scalar.dtype, device: device) }
  }

  /// Copies row-major bytes.
  public init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device = .cpu) {
    precondition(
      bytes.count == shape.reduce(1, *) * dtype.byteWidth,
      "Tensor: \(bytes.count) bytes do not fill \(dtype) \(shape)")
    self = make("fromBytes\(shape)", []) {
      ct_from_bytes(bytes.baseAddress, shape.int64, Int32(shape.count), dtype.number, device.number, $0)
    }
  }

  /// Wraps CPU memory that `owner` keeps alive.
  init(mapped bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, owner: AnyObject) {
    let context = Unmanaged.passRetained(owner)
    self = make("fromMapped\(shape)", []) {
      ct_from_mapped(
        UnsafeMutableRawPointer(mutating: bytes.baseAddress), shape.int64, Int32(shape.count), dtype.number,
        { owner in if let owner { Unmanaged<AnyObject>.fromOpaque(owner).release() } }, context.toOpaque(), $0)
    }
  }

  /// A copy in another dtype and/or on another device; the tensor itself where nothing changes.
  public func to(_ dtype: DType? = nil, device: Device? = nil) -> Tensor {
    make("to", [self]) { ct_to(pointer, (dtype ?? self.dtype).number, (device ?? self.device).number, $0) }
  }

  /// The values as float32, row-major.
  public func values() -> [Float] { to(.float32, device: .cpu).scalars() }

  /// The values in their own type, row-major; `Scalar` must be the tensor's element type.
  public func scalars<Scalar: TorchScalar>(_ type: Scalar.Type = Scalar.self) -> [Scalar] {
    precondition(dtype == Scalar.dtype, "scalars: the tensor holds \(dtype), not \(Scalar.dtype)")
    return [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      perform("scalars", [self]) { ct_to_bytes(pointer, buffer.baseAddress, byteCount) }
      initialized = count
    }
  }

  /// Shows `body` the values, row-major, `byteCount` bytes: where they lie, or a copy of what is on an accelerator or strided.
  public func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
    let host = make("withBytes", [self]) { ct_host(pointer, $0) }
    return try withExtendedLifetime(host) {
      try body(UnsafeRawBufferPointer(start: ct_bytes(host.pointer), count: byteCount))
    }
  }

  /// The only element, as a number. Waits for the device.
  public func item() -> Double {
    precondition(count == 1, "item() of a tensor of shape \(shape)")
    var value = 0.0
    perform("item", [self]) { ct_item(pointer, &value) }
    return value
  }
}

/// A Swift number that is also a tensor's element type.
public protocol TorchScalar: BitwiseCopyable {
  static var dtype: DType { get }
}
extension Float: TorchScalar { public static var dtype: DType { .float32 } }
extension Double: TorchScalar { public static var dtype: DType { .float64 } }
extension Int64: TorchScalar { public static var dtype: DType { .int64 } }
extension Int32: TorchScalar { public static var dtype: DType { .int32 } }
extension UInt8: TorchScalar { public static var dtype: DType { .uint8 } }
extension Bool: TorchScalar { public static var dtype: DType { .bool } }

extension [Int] {
  var int64: [Int64] { map(Int64.init) }
}
