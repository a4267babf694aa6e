import Continual

/// One key of a configuration with its kind and its value in an instance.
struct ConfigurationField {
  let key: ConfigurationKey
  let shape: Shape
  let value: ConfigurationValue

  /// The fields of an instance, in the order of `keys`.
  ///
  /// - Precondition: `keys` and the encoded keys are the same; the message names the difference.
  static func all(of instance: some ConfigurationSection) -> [ConfigurationField] {
    let type = type(of: instance)
    let encoder = ConfigurationEncoder()
    do {
      try instance.encode(to: encoder)
    } catch {
      fatalError("\(type) cannot be encoded: \(error)")
    }
    let names = type.keys.map(\.name)
    let encoded = Set(encoder.types.keys)
    precondition(
      Set(names) == encoded && names.count == encoded.count,
      "\(type).keys documents \(names.sorted()), but the type encodes \(encoded.sorted()). Make them the same.")
    return type.keys.map { key in
      let shape = Shape(encoder.types[key.name] ?? Any.self)
      return ConfigurationField(key: key, shape: shape, value: encoder.value[key.name] ?? .null)
    }
  }
}
