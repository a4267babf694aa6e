import CTorch

/// The element type of a tensor.
public enum DType: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
  case float32, bfloat16, float16, float64, int64, int32, uint8, bool, int8, int16

  /// Bytes an element.
  public var byteWidth: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .bfloat16, .float16, .int16: 2
    case .uint8, .bool, .int8: 1
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .bfloat16, .float16, .float64: true
    default: false
    }
  }

  public var description: String { rawValue }

  init(_ number: ct_dtype) {
    switch number {
    case CT_FLOAT32: self = .float32
    case CT_BFLOAT16: self = .bfloat16
    case CT_FLOAT16: self = .float16
    case CT_FLOAT64: self = .float64
    case CT_INT64: self = .int64
    case CT_INT32: self = .int32
    case CT_UINT8: self = .uint8
    case CT_BOOL: self = .bool
    case CT_INT8: self = .int8
    case CT_INT16: self = .int16
    default: fatalError("the shim knows a dtype that Torch does not: \(number.rawValue)")
    }
  }

  var number: ct_dtype {
    switch self {
    case .float32: CT_FLOAT32
    case .bfloat16: CT_BFLOAT16
    case .float16: CT_FLOAT16
    case .float64: CT_FLOAT64
    case .int64: CT_INT64
    case .int32: CT_INT32
    case .uint8: CT_UINT8
    case .bool: CT_BOOL
    case .int8: CT_INT8
    case .int16: CT_INT16
    }
  }
}
