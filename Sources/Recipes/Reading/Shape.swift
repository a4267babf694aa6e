import Continual

/// What kind of value a key of a configuration takes, found from its Swift type.
indirect enum Shape {
  case bool
  case integer(any FixedWidthInteger.Type)
  case number
  case string
  /// An enum over words.
  case word([String])
  case optional(Shape)
  case list(Shape)
  case mapping(Shape)
  case configuration(any ConfigurationSection.Type)
  /// A type of which only its own decoding knows what it takes.
  case any

  init(_ type: Any.Type) {
    switch type {
    case is Bool.Type: self = .bool
    case let type as any FixedWidthInteger.Type: self = .integer(type)
    case is any BinaryFloatingPoint.Type: self = .number
    case is String.Type: self = .string
    case let type as any ConfigurationSection.Type: self = .configuration(type)
    case let type as any Wrapper.Type: self = type.shape
    case let type as any (CaseIterable & RawRepresentable).Type: self = words(of: type).map(Shape.word) ?? .any
    default: self = .any
    }
  }

  /// The end of a sentence that begins with "must be".
  var expected: String {
    switch self {
    case .bool: "true or false"
    case .integer(let type): bounds(of: type)
    case .number: "a number"
    case .string: "a string"
    case .word(let words): "one of \(words.joined(separator: ", "))"
    case .optional(let wrapped): "\(wrapped.expected) or null"
    case .list: "a list like [a, b]"
    case .mapping, .configuration: "a section of keys"
    case .any: "a value"
    }
  }

  /// Whether null is a value.
  var takesNull: Bool {
    switch self {
    case .optional, .any: true
    default: false
    }
  }

  /// The shape of a value that is not null.
  var unwrapped: Shape {
    if case .optional(let wrapped) = self { wrapped.unwrapped } else { self }
  }
}

/// A standard type that holds others.
private protocol Wrapper {
  static var shape: Shape { get }
}

extension Optional: Wrapper {
  fileprivate static var shape: Shape { .optional(Shape(Wrapped.self)) }
}

extension Array: Wrapper {
  fileprivate static var shape: Shape { .list(Shape(Element.self)) }
}

extension Dictionary: Wrapper {
  fileprivate static var shape: Shape { Key.self == String.self ? .mapping(Shape(Value.self)) : .any }
}

private func words<T: CaseIterable & RawRepresentable>(of type: T.Type) -> [String]? {
  T.RawValue.self == String.self ? type.allCases.map { "\($0.rawValue)" } : nil
}

private func bounds<T: FixedWidthInteger>(of type: T.Type) -> String {
  type is Int.Type ? "a whole number" : "a whole number from \(T.min) to \(T.max)"
}

extension Shape {
  /// The value that a scalar means for this shape; `nil` when it means none.
  func value(of text: String, isQuoted: Bool) -> ConfigurationValue? {
    switch self {
    case .string, .word: .string(text)
    case .bool where !isQuoted: Self.bool(text).map { .bool($0) }
    case .integer(let type) where !isQuoted: Self.integer(text, type).map { .integer($0) }
    case .number where !isQuoted: Self.number(text).map { .number($0) }
    case .any where isQuoted: .string(text)
    case .any: Self.untyped(text)
    default: nil
    }
  }

  private static func untyped(_ text: String) -> ConfigurationValue {
    if ["true", "false"].contains(text) { return .bool(text == "true") }
    if let digits = Int(text) { return .integer("\(digits)") }
    return number(text).map { .number($0) } ?? .string(text)
  }

  private static func bool(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: nil
    }
  }

  /// `1e3` and `1_000` are whole numbers too.
  private static func integer<T: FixedWidthInteger>(_ text: String, _ type: T.Type) -> String? {
    if let value = T(text) { return "\(value)" }
    return number(text).flatMap { T(exactly: $0) }.map { "\($0)" }
  }

  /// YAML's decimal forms; not Swift's hexadecimal ones, nor `nan`, which no setting can mean.
  private static func number(_ text: String) -> Double? {
    if text.wholeMatch(of: /[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][-+]?\d+)?/) != nil {
      return Double(text.filter { $0 != "_" }).flatMap { $0.isFinite ? $0 : nil }
    }
    guard let match = text.wholeMatch(of: /([-+]?)\.(inf|Inf|INF)/) else { return nil }
    return match.1 == "-" ? -.infinity : .infinity
  }
}
