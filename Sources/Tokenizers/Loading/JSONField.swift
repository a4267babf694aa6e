import Foundation

/// A value of a JSON file that knows its place, so that a mistake in it can be named.
struct JSONField {
  let value: JSON
  /// Path of the file.
  let file: String
  /// Such as `post_processor.single[0].SpecialToken.id`.
  let path: String

  /// The value of a whole file.
  init(contentsOf url: URL) throws {
    file = url.path
    path = ""
    do {
      value = try JSONReader.read(try JSONField.bytes(of: url))
    } catch let failure as JSONReader.Failure {
      let line = try JSONField.bytes(of: url).prefix(failure.byte).count { $0 == 0x0A } + 1
      throw TokenizerError.malformedJSON(file: url.path, line: line, byte: failure.byte, expected: failure.expected)
    }
  }

  private init(_ value: JSON, file: String, path: String) {
    self.value = value
    self.file = file
    self.path = path
  }

  /// All of a file.
  static func bytes(of url: URL) throws(TokenizerError) -> [UInt8] {
    do {
      return Array(try Data(contentsOf: url))
    } catch {
      throw .unreadable(file: url.path, reason: (error as NSError).localizedFailureReason ?? error.localizedDescription)
    }
  }

  /// A member of this object, `nil` where it is missing or null.
  func optional(_ name: String) throws(TokenizerError) -> JSONField? {
    guard case .object(let members) = value else { throw unexpected("an object") }
    guard let member = members.last(where: { $0.key == name }), member.value != .null else { return nil }
    return JSONField(member.value, file: file, path: path.isEmpty ? name : path + "." + name)
  }

  /// A member this object must have.
  func member(_ name: String) throws(TokenizerError) -> JSONField {
    if let field = try optional(name) { return field }
    throw .unexpectedValue(
      file: file, path: path.isEmpty ? name : path + "." + name, expected: "given", found: "missing")
  }

  /// All members of this object, in the order of the file.
  func members() throws(TokenizerError) -> [(key: String, field: JSONField)] {
    guard case .object(let members) = value else { throw unexpected("an object") }
    return members.map { ($0.key, JSONField($0.value, file: file, path: "\(path)[\"\($0.key)\"]")) }
  }

  func elements() throws(TokenizerError) -> [JSONField] {
    guard case .array(let elements) = value else { throw unexpected("a list") }
    return elements.enumerated().map { JSONField($1, file: file, path: "\(path)[\($0)]") }
  }

  func string() throws(TokenizerError) -> String {
    guard case .string(let string) = value else { throw unexpected("a string") }
    return string
  }

  func bool() throws(TokenizerError) -> Bool {
    guard case .bool(let bool) = value else { throw unexpected("true or false") }
    return bool
  }

  /// A token id: a whole number from 0 to `largest`.
  func id(upTo largest: Int32 = .max) throws(TokenizerError) -> Int32 {
    guard case .number(let number) = value, let id = Int32(exactly: number), 0...largest ~= id else {
      throw unexpected("a whole number from 0 to \(largest)")
    }
    return id
  }

  func number() throws(TokenizerError) -> Double {
    guard case .number(let number) = value else { throw unexpected("a number") }
    return number
  }

  /// A string of one character.
  func scalar() throws(TokenizerError) -> Unicode.Scalar {
    let scalars = try string().unicodeScalars
    guard let scalar = scalars.first, scalars.count == 1 else { throw unexpected("a single character") }
    return scalar
  }

  /// A string that names one of a few things.
  func choice<Choice>() throws(TokenizerError) -> Choice
  where Choice: RawRepresentable<String> & CaseIterable {
    if let choice = Choice(rawValue: try string()) { return choice }
    throw unsupported(Choice.allCases.map(\.rawValue))
  }

  func unexpected(_ expected: String) -> TokenizerError {
    .unexpectedValue(
      file: file, path: path.isEmpty ? "the whole" : path, expected: expected, found: value.description)
  }

  func unsupported(_ supported: [String]) -> TokenizerError {
    .unsupportedComponent(file: file, path: path, found: value.description, supported: supported)
  }

  func inconsistent(_ problem: String) -> TokenizerError {
    .inconsistent(file: file, path: path, problem: problem)
  }
}
