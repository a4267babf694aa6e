import Testing

@testable import Tokenizers

struct JSONReaderTests {
  private static func read(_ text: String) throws(JSONReader.Failure) -> JSON { try JSONReader.read(Array(text.utf8)) }

  @Test func readsEveryKindOfValue() throws {
    let value = try Self.read(#" {"a": [1, -2.5e3, true, false, null, "x"], "b": {}, "c": []} "#)
    #expect(
      value
        == .object([
          JSON.Member(
            key: "a", value: .array([.number(1), .number(-2500), .bool(true), .bool(false), .null, .string("x")])),
          JSON.Member(key: "b", value: .object([])),
          JSON.Member(key: "c", value: .array([])),
        ]))
  }

  @Test func readsEscapes() throws {
    let value = try Self.read(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é\u0000""#)
    #expect(value == .string("\"\\/\u{8}\u{C}\n\r\t\u{E9}\u{1F600}\u{E9}\u{0}"))
  }

  @Test(arguments: [
    ("", 0, "a value"), ("{\"a\" 1}", 5, "':'"), ("[1 2]", 3, "',' or ']'"), ("{\"a\": 1", 7, "',' or '}'"),
    ("{a: 1}", 1, "a string"), ("\"abc", 4, "the end of a string"), ("\"a\nb\"", 2, "the end of a string"),
    ("\"\\x\"", 2, "an escape sequence"), ("\"\\u12g4\"", 2, "four hexadecimal digits"),
    ("\"\\ud83dx\"", 7, "the second half of a surrogate pair"),
    ("\"\\ude00\"", 7, "the second half of a surrogate pair"),
    ("tru", 0, "a value"), ("1-", 0, "a value"), ("1e999", 0, "a value"), ("1 1", 2, "the end of the file"),
    (String(repeating: "[", count: 200), 128, "at most 128 levels of nesting"),
  ])
  func saysWhereAndWhatItExpected(text: String, byte: Int, expected: String) {
    #expect(throws: JSONReader.Failure(byte: byte, expected: expected)) { try Self.read(text) }
  }

  @Test func refusesWhatIsNotUTF8() {
    #expect(throws: JSONReader.Failure(byte: 1, expected: "a string in UTF-8")) {
      try JSONReader.read([0x22, 0xFF, 0x22])
    }
  }
}
