/// One section of a recipe: a plain value with a default for every field, whose keys are documented.
///
/// The reader and the writer of recipes work from `keys` and from `Codable` alone, so a conforming type
/// needs no code of its own beyond the list of its keys. Nested sections conform too.
public protocol ConfigurationSection: Codable, Sendable, Equatable {
  /// All defaults.
  init()
  /// Every key, in the order in which a recipe shows them; the names are those of `CodingKeys`.
  static var keys: [ConfigurationKey] { get }
  /// Why the values cannot stand together; nil where they can.
  var conflict: ConfigurationConflict? { get }
}

extension ConfigurationSection {
  public var conflict: ConfigurationConflict? { nil }
}

/// A value that contradicts others of its section.
public struct ConfigurationConflict: Sendable, Equatable {
  /// The key of the value.
  public let key: String
  /// What is wrong and what to do, as sentences.
  public let reason: String

  public init(key: String, reason: String) { (self.key, self.reason) = (key, reason) }
}

/// The documentation of one key of a `ConfigurationSection`.
public struct ConfigurationKey: Sendable, Equatable {
  /// The key as the recipe spells it.
  public let name: String
  /// One line that says what the value does, with its unit.
  public let summary: String
  /// The values the key takes; `nil` allows every value of its type.
  public let allowed: Allowed?
  /// Whether a recipe must give the key, because no default makes sense.
  public let isRequired: Bool

  /// Documents the key `name`.
  public init(_ name: String, _ summary: String, allowed: Allowed? = nil, required: Bool = false) {
    self.name = name
    self.summary = summary
    self.allowed = allowed
    self.isRequired = required
  }
}

/// The values a key takes; for a list, the values of each element.
public enum Allowed: Sendable, Equatable {
  /// Both ends included.
  case range(ClosedRange<Double>)
  /// The lower end included, the upper end not.
  case halfOpenRange(Range<Double>)
  /// A lower bound, included.
  case atLeast(Double)
  /// Greater than zero.
  case positive
  /// One of these words.
  case oneOf([String])

  /// Whether a number is allowed; `oneOf` compares its shortest form.
  public func contains(_ number: Double) -> Bool {
    switch self {
    case .range(let range): range.contains(number)
    case .halfOpenRange(let range): range.contains(number)
    case .atLeast(let bound): number >= bound && number.isFinite
    case .positive: number > 0 && number.isFinite
    case .oneOf(let words): words.contains(short(number))
    }
  }

  /// Whether a word is allowed; bounds compare numbers, so they allow every word.
  public func contains(_ word: String) -> Bool {
    if case .oneOf(let words) = self { words.contains(word) } else { true }
  }
}

extension Allowed: CustomStringConvertible {
  /// The rest of a sentence that begins with "must be".
  public var description: String {
    switch self {
    case .range(let range): "from \(short(range.lowerBound)) to \(short(range.upperBound))"
    case .halfOpenRange(let range): "at least \(short(range.lowerBound)) and below \(short(range.upperBound))"
    case .atLeast(let bound): "at least \(short(bound))"
    case .positive: "greater than 0"
    case .oneOf(let words): "one of \(words.joined(separator: ", "))"
    }
  }

  private func short(_ number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
