/// A JSON value that keeps the order of keys and tells canonically equivalent keys apart.
///
/// Foundation's decoder does neither: it keys objects by `String`, so that two vocabulary entries which are the
/// composed and the decomposed form of one word become one, and it says nothing of where malformed text breaks.
enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  struct Member: Equatable, Sendable {
    var key: String
    var value: JSON
  }

  /// How a sentence names the value.
  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): String(value)
    case .number(let value): Int(exactly: value).map { String($0) } ?? String(value)
    case .string(let value): "\"\(value)\""
    case .array: "a list"
    case .object: "an object"
    }
  }
}
