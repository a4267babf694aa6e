import Continual

/// YAML lines under construction: sections in block form, lists in flow form.
struct YAMLText {
  let hasComments: Bool
  private(set) var text = ""

  init(hasComments: Bool) {
    self.hasComments = hasComments
  }

  /// Writes a configuration under a heading that ends in a colon.
  mutating func section(_ heading: String, _ configuration: some ConfigurationSection, indent: String) {
    section(heading, ConfigurationField.all(of: configuration), comment: "", indent: indent)
  }

  /// Writes the keys of a configuration.
  mutating func write(_ configuration: some ConfigurationSection, indent: String) {
    write(ConfigurationField.all(of: configuration), indent: indent)
  }

  mutating func line(_ line: String, comment: String = "") {
    let words = comment.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    text += hasComments && !words.isEmpty ? "\(line)  # \(words)\n" : "\(line)\n"
  }

  private mutating func section(_ heading: String, _ fields: [ConfigurationField], comment: String, indent: String) {
    line(fields.isEmpty ? "\(heading) {}" : heading, comment: comment)
    write(fields, indent: indent + "  ")
  }

  private mutating func write(_ fields: [ConfigurationField], indent: String) {
    for field in fields {
      let (name, comment) = (field.key.name, field.key.summary)
      if let nested = field.shape.fields(of: field.value) {
        section("\(indent)\(name):", nested, comment: comment, indent: indent)
      } else {
        line("\(indent)\(name): \(Self.flow(field.value, as: field.shape))", comment: comment)
      }
    }
  }

  /// The value of a field on one line.
  static func value(of field: ConfigurationField) -> String { flow(field.value, as: field.shape) }

  /// A value on one line.
  private static func flow(_ value: ConfigurationValue, as shape: Shape) -> String {
    if let fields = shape.fields(of: value) {
      return "{" + fields.map { "\($0.key.name): \(flow($0.value, as: $0.shape))" }.joined(separator: ", ") + "}"
    }
    switch value {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .integer(let digits): return digits
    case .number(let number): return self.number(number)
    case .string(let string): return word(string)
    case .list(let elements):
      return "[" + elements.map { flow($0, as: shape.element) }.joined(separator: ", ") + "]"
    case .mapping(let members):
      let pairs = members.sorted { $0.key < $1.key }.map { "\(word($0)): \(flow($1, as: shape.element))" }
      return "{" + pairs.joined(separator: ", ") + "}"
    }
  }

  /// As few digits as read back to the same number; always with a point or an exponent.
  private static func number(_ number: Double) -> String {
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    return number.isNaN ? ".nan" : "\(number)"
  }

  /// A string as it is where no YAML reader takes it for something else, in double quotes elsewhere.
  static func word(_ string: String) -> String {
    let reserved = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
    let isPlain = string.wholeMatch(of: /[A-Za-z_\/][A-Za-z0-9_\/.+-]*/) != nil
    return isPlain && !reserved.contains(string.lowercased()) ? string : quoted(string)
  }

  private static func quoted(_ string: String) -> String {
    let escaped = string.unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\t": "\\t"
      // Control characters, the other line breaks of YAML, and the byte-order mark.
      case "\0"..<" ", "\u{7F}"..."\u{A0}", "\u{2028}", "\u{2029}", "\u{FEFF}": escape(scalar)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension Shape {
  /// The fields of a configuration's value; `nil` for every other value.
  fileprivate func fields(of value: ConfigurationValue) -> [ConfigurationField]? {
    guard case .configuration(let type) = unwrapped, case .mapping(let members) = value else { return nil }
    return ConfigurationField.all(of: type.init()).map { field in
      ConfigurationField(key: field.key, shape: field.shape, value: members[field.key.name] ?? .null)
    }
  }

  /// The shape of what a list or mapping holds.
  fileprivate var element: Shape {
    switch unwrapped {
    case .list(let element), .mapping(let element): element
    default: .any
    }
  }
}
