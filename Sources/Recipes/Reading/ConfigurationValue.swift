/// A configuration's value between its Swift type and the recipe's text.
enum ConfigurationValue: Equatable {
  case null
  case bool(Bool)
  /// In decimal digits, so that every width of integer fits.
  case integer(String)
  case number(Double)
  case string(String)
  case list([ConfigurationValue])
  case mapping([String: ConfigurationValue])

  subscript(key: String) -> ConfigurationValue? {
    if case .mapping(let members) = self { members[key] } else { nil }
  }
}

extension ConfigurationValue: Encodable {
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let digits):
      if let value = Int64(digits) { try container.encode(value) } else { try container.encode(UInt64(digits)) }
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .list(let elements): try container.encode(elements)
    case .mapping(let members): try container.encode(members)
    }
  }
}
