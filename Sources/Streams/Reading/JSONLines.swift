import Foundation

/// Reads the wanted columns of JSON objects, one a line; blank lines are passed over.
///
/// Lines may end in CRLF, since a carriage return is white space in JSON.
struct JSONLines {
  private let decoder = JSONDecoder()

  init(columns: [String]) {
    decoder.userInfo[.columns] = columns
  }

  func read(_ file: URL, log: inout ProblemLog, _ body: (Row, inout ProblemLog) -> Void) throws {
    let name = file.relativePath
    var lines = try LineReader(file)
    try lines.forEach { line, bytes in
      guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return }
      guard String(validating: bytes, as: UTF8.self) != nil else {
        return log.add(.notUTF8, file: name, line: line)
      }
      guard let row = try? decoder.decode(JSONRow.self, from: Data(bytes)) else {
        return log.add(.notJSON, file: name, line: line)
      }
      body(Row(line: line, fields: row.fields, present: row.present), &log)
    }
  }
}

extension CodingUserInfoKey {
  fileprivate static let columns: CodingUserInfoKey = {
    guard let key = CodingUserInfoKey(rawValue: "columns") else { preconditionFailure("CodingUserInfoKey(columns)") }
    return key
  }()
}

/// A JSON object of which only the columns named in the decoder's user info are decoded.
private struct JSONRow: Decodable {
  let fields: [Field]
  let present: [String]

  init(from decoder: any Decoder) throws {
    let columns = decoder.userInfo[.columns] as? [String] ?? []
    let object = try decoder.container(keyedBy: AnyKey.self)
    let fields = columns.map { Self.field($0, in: object) }
    self.fields = fields
    present = fields.contains(.missing) ? object.allKeys.map(\.stringValue).sorted() : []
  }

  /// A column is a key, dots and all, or else a path of keys, of which the last may be one of each object of a list.
  private static func field(_ column: String, in object: KeyedDecodingContainer<AnyKey>) -> Field {
    let key = AnyKey(column)
    if object.contains(key) { return value(key, in: object) }
    guard let dot = column.firstIndex(of: ".") else { return .missing }
    let outer = AnyKey(String(column[..<dot]))
    let inner = String(column[column.index(after: dot)...])
    guard let nested = try? object.nestedContainer(keyedBy: AnyKey.self, forKey: outer) else {
      return texts(inner, of: outer, in: object)
    }
    return field(inner, in: nested)
  }

  /// The texts under a key of each object of a list.
  private static func texts(
    _ column: String, of list: AnyKey, in object: KeyedDecodingContainer<AnyKey>
  ) -> Field {
    guard var items = try? object.nestedUnkeyedContainer(forKey: list) else { return .missing }
    var texts: [String] = []
    while !items.isAtEnd {
      guard let item = try? items.nestedContainer(keyedBy: AnyKey.self),
        let text = try? item.decode(String.self, forKey: AnyKey(column))
      else { return .missing }
      texts.append(text)
    }
    return .texts(texts)
  }

  private static func value(_ key: AnyKey, in object: KeyedDecodingContainer<AnyKey>) -> Field {
    if let text = try? object.decode(String.self, forKey: key) { return .text(text) }
    if let integer = try? object.decode(Int.self, forKey: key) { return .integer(integer) }
    if let texts = try? object.decode([String].self, forKey: key) { return .texts(texts) }
    if let turns = try? object.decode([Turn].self, forKey: key) { return .turns(turns) }
    if (try? object.decodeNil(forKey: key)) == true { return .other("null") }
    if (try? object.decode(Bool.self, forKey: key)) != nil { return .other("true or false") }
    if (try? object.decode(Double.self, forKey: key)) != nil { return .other("a number") }
    return .other((try? object.nestedUnkeyedContainer(forKey: key)) != nil ? "a list" : "an object")
  }
}

/// A key of any name.
struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}
