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

extension ConfigurationValue {
  /// What differs from `usual`, of mappings the members that do; nil where nothing does.
  func change(from usual: ConfigurationValue?) -> ConfigurationValue? {
    if self == usual { return nil }
    guard case .mapping(let members) = self, case .mapping(let others)? = usual else { return self }
    let changed = members.compactMap { key, value in value.change(from: others[key]).map { (key, $0) } }
    return changed.isEmpty ? nil : .mapping(Dictionary(uniqueKeysWithValues: changed))
  }

  /// One line, the same for equal values: members stand by name.
  var line: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let digits): digits
    case .number(let value): "\(value)"
    case .string(let value): value.debugDescription
    case .list(let elements): "[\(elements.map(\.line).joined(separator: ", "))]"
    case .mapping(let members):
      "{\(members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.line)" }.joined(separator: ", "))}"
    }
  }
}
