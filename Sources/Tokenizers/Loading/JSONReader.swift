/// Reads JSON (RFC 8259) from bytes.
struct JSONReader {
  /// Where and why reading stopped.
  struct Failure: Error, Equatable {
    var byte: Int
    var expected: String
  }

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  private static let maxDepth = 128

  /// The value a whole file holds.
  static func read(_ bytes: [UInt8]) throws(Failure) -> JSON {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value()
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.failure("the end of the file") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func failure(_ expected: String) -> Failure { Failure(byte: position, expected: expected) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Skips white space, then takes the character if it comes next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value() throws(Failure) -> JSON {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try nested { reader throws(Failure) in .object(try reader.members()) }
    case UInt8(ascii: "["): return try nested { reader throws(Failure) in .array(try reader.elements()) }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func nested(_ read: (inout JSONReader) throws(Failure) -> JSON) throws(Failure) -> JSON {
    guard depth < JSONReader.maxDepth else { throw failure("at most \(JSONReader.maxDepth) levels of nesting") }
    depth += 1
    position += 1
    let value = try read(&self)
    depth -= 1
    return value
  }

  private mutating func members() throws(Failure) -> [JSON.Member] {
    var members: [JSON.Member] = []
    if take("}") { return members }
    repeat {
      skipSpace()
      let key = try string()
      guard take(":") else { throw failure("':'") }
      members.append(JSON.Member(key: key, value: try value()))
    } while take(",")
    guard take("}") else { throw failure("',' or '}'") }
    return members
  }

  private mutating func elements() throws(Failure) -> [JSON] {
    var elements: [JSON] = []
    if take("]") { return elements }
    repeat { elements.append(try value()) } while take(",")
    guard take("]") else { throw failure("',' or ']'") }
    return elements
  }

  private mutating func word(_ word: String, _ value: JSON) throws(Failure) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("a value") }
    position += word.utf8.count
    return value
  }

  private mutating func number() throws(Failure) -> JSON {
    let start = position
    while let byte = next, "0123456789+-.eE".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    // Double tells whether it is a number at all.
    guard let exact = Double(text), exact.isFinite else {
      position = start
      throw failure("a value")
    }
    return .number(JSONReader.rounded(text.utf8) ?? exact)
  }

  /// The number as the reference reads it: all digits as a whole number, then one product or quotient.
  ///
  /// The last bit differs from the nearest number in one case of a few. Scores that tie make it count: which of two
  /// ways through a text is better then hangs on it. `nil` outside the range of this method.
  private static func rounded(_ text: String.UTF8View) -> Double? {
    let parts = text.split(maxSplits: 1) { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
    var exponent = 0
    if parts.count == 2 {
      guard let given = Int(String(decoding: parts[1], as: UTF8.self)) else { return nil }
      exponent = given
    }
    var significand: UInt64 = 0
    var isFraction = false
    for byte in parts[0] where byte != UInt8(ascii: "-") && byte != UInt8(ascii: "+") {
      if byte == UInt8(ascii: ".") {
        isFraction = true
        continue
      }
      let (product, overflows) = significand.multipliedReportingOverflow(by: 10)
      let (sum, exceeds) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if overflows || exceeds { return nil }
      significand = sum
      if isFraction { exponent -= 1 }
    }
    guard (-308...308).contains(exponent), let power = Double("1e\(abs(exponent))") else { return nil }
    let value = exponent < 0 ? Double(significand) / power : Double(significand) * power
    return parts[0].first == UInt8(ascii: "-") ? -value : value
  }
}

extension JSONReader {
  private mutating func string() throws(Failure) -> String {
    guard next == UInt8(ascii: "\"") else { throw failure("a string") }
    position += 1
    let start = position
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    guard next == UInt8(ascii: "\\") else { return try closed(Array(bytes[start..<position]), from: start) }
    var content = Array(bytes[start..<position])
    while let byte = next, byte != UInt8(ascii: "\""), byte >= 0x20 {
      if byte == UInt8(ascii: "\\") {
        content += UTF8.encode(try escape()).map { Array($0) } ?? []
      } else {
        content.append(byte)
        position += 1
      }
    }
    return try closed(content, from: start)
  }

  private mutating func closed(_ content: [UInt8], from start: Int) throws(Failure) -> String {
    guard next == UInt8(ascii: "\"") else { throw failure("the end of a string") }
    guard let string = String(validating: content, as: UTF8.self) else {
      position = start
      throw failure("a string in UTF-8")
    }
    position += 1
    return string
  }

  /// The scalar of an escape sequence such as `\n` or `\u00e9`; of two in a row beyond the basic plane.
  private mutating func escape() throws(Failure) -> Unicode.Scalar {
    position += 1
    guard let byte = next else { throw failure("an escape sequence") }
    if byte == UInt8(ascii: "u") { return try unicodeEscape() }
    let plain: [UInt8: Unicode.Scalar] = [
      0x22: "\"", 0x5C: "\\", 0x2F: "/", 0x62: "\u{8}", 0x66: "\u{C}", 0x6E: "\n", 0x72: "\r", 0x74: "\t",
    ]
    guard let scalar = plain[byte] else { throw failure("an escape sequence") }
    position += 1
    return scalar
  }

  private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard UTF16.isLeadSurrogate(UInt16(first)), next == UInt8(ascii: "\\") else {
      throw failure("the second half of a surrogate pair")
    }
    position += 1
    guard next == UInt8(ascii: "u") else { throw failure("the second half of a surrogate pair") }
    let second = try codeUnit()
    guard UTF16.isTrailSurrogate(UInt16(second)),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw failure("the second half of a surrogate pair") }
    return scalar
  }

  /// The four hexadecimal digits behind a `u`.
  private mutating func codeUnit() throws(Failure) -> UInt32 {
    let digits = bytes[(position + 1)...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits") }
    position += 5
    return value
  }
}
