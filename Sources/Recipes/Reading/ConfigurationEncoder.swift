/// Encodes a value to a `ConfigurationValue` and notes the static type of each key.
///
/// JSON would lose what the reader needs: that `1.0` is no integer, and what an absent optional would hold.
final class ConfigurationEncoder: Encoder {
  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]
  /// What the value has encoded so far.
  private(set) var value = ConfigurationValue.null
  /// The type of each key of a keyed value.
  private(set) var types: [String: Any.Type] = [:]

  static func encode(_ value: some Encodable) throws -> ConfigurationValue {
    switch value {
    case let value as Bool: return .bool(value)
    case let value as any FixedWidthInteger: return .integer("\(value)")
    case let value as Double: return .number(value)
    // By way of its digits, so that Float(0.1) stays 0.1.
    case let value as Float: return .number(Double("\(value)") ?? Double(value))
    case let value as String: return .string(value)
    default:
      let encoder = ConfigurationEncoder()
      try value.encode(to: encoder)
      return encoder.value
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .mapping = value {} else { value = .mapping([:]) }
    return KeyedEncodingContainer(Keyed(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    value = .list([])
    return Unkeyed(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    Single(encoder: self)
  }

  fileprivate func set(_ member: ConfigurationValue, of type: Any.Type, for key: some CodingKey) {
    guard case .mapping(var members) = value else { return }
    members[key.stringValue] = member
    value = .mapping(members)
    types[key.stringValue] = type
  }

  fileprivate func append(_ element: ConfigurationValue) {
    guard case .list(let elements) = value else { return }
    value = .list(elements + [element])
  }

  fileprivate func replace(with single: ConfigurationValue) {
    value = single
  }
}

// In each container one generic `encode` stands for the protocol's fourteen.

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: ConfigurationEncoder
  let codingPath: [any CodingKey] = []

  func encodeNil(forKey key: Key) { encoder.set(.null, of: Void.self, for: key) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    encoder.set(try ConfigurationEncoder.encode(value), of: T.self, for: key)
  }

  private func set<T: Encodable>(_ value: T?, _ key: Key) throws {
    encoder.set(try value.map { try ConfigurationEncoder.encode($0) } ?? .null, of: T?.self, for: key)
  }

  // The protocol's defaults pass over nil. They are not generic, so each needs its replacement.
  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try set(value, key) }
  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws { try set(value, key) }

  func nestedContainer<N: CodingKey>(keyedBy type: N.Type, forKey key: Key) -> KeyedEncodingContainer<N> {
    unsupported("nestedContainer(keyedBy:forKey: \(key.stringValue))")
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    unsupported("nestedUnkeyedContainer(forKey: \(key.stringValue))")
  }

  func superEncoder() -> any Encoder { unsupported("superEncoder()") }
  func superEncoder(forKey key: Key) -> any Encoder { unsupported("superEncoder(forKey: \(key.stringValue))") }
}

private struct Unkeyed: UnkeyedEncodingContainer {
  let encoder: ConfigurationEncoder
  let codingPath: [any CodingKey] = []

  var count: Int {
    if case .list(let elements) = encoder.value { elements.count } else { 0 }
  }

  func encodeNil() { encoder.append(.null) }
  func encode<T: Encodable>(_ value: T) throws { encoder.append(try ConfigurationEncoder.encode(value)) }

  func nestedContainer<N: CodingKey>(keyedBy type: N.Type) -> KeyedEncodingContainer<N> {
    unsupported("nestedContainer(keyedBy:)")
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { unsupported("nestedUnkeyedContainer()") }
  func superEncoder() -> any Encoder { unsupported("superEncoder()") }
}

private struct Single: SingleValueEncodingContainer {
  let encoder: ConfigurationEncoder
  let codingPath: [any CodingKey] = []

  func encodeNil() { encoder.replace(with: .null) }
  func encode<T: Encodable>(_ value: T) throws { encoder.replace(with: try ConfigurationEncoder.encode(value)) }
}

private func unsupported(_ operation: String) -> Never {
  fatalError(
    """
    a ConfigurationSection encodes with \(operation), which recipes do not hold. Make the part a ConfigurationSection of its own \
    (an enum with associated values becomes a kind and its options).
    """)
}
