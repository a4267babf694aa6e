/// What a row holds in one column.
enum Field: Sendable, Hashable {
  case text(String)
  case integer(Int)
  case texts([String])
  /// A list of objects, as far as they look like turns of a conversation.
  case turns([Turn])
  /// Something that is neither text nor an integer, in words: "a list".
  case other(String)
  case missing
}

/// A turn of a conversation as it stands in a file; nil for what is absent or no text.
struct Turn: Sendable, Hashable, Decodable {
  let role: String?
  let content: String?

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: AnyKey.self)
    role = try? object.decode(String.self, forKey: AnyKey("role"))
    content = try? object.decode(String.self, forKey: AnyKey("content"))
  }
}

/// The wanted columns of one row, in the order they were asked for.
struct Row {
  let line: Int
  let fields: [Field]
  /// All column names of the row, for the message about a missing one.
  let present: [String]
}

/// The kinds of file that hold examples, told by the name.
enum FileFormat {
  case jsonLines
  case delimited(separator: UInt8)
  case plainText

  init?(name: String) {
    let lowercased = name.lowercased()
    switch (lowercased.hasSuffix(".gz") ? lowercased.dropLast(3) : lowercased[...]).split(separator: ".").last {
    case "jsonl", "ndjson": self = .jsonLines
    case "csv": self = .delimited(separator: UInt8(ascii: ","))
    case "txt": self = .plainText
    case "tsv": self = .delimited(separator: UInt8(ascii: "\t"))
    default: return nil
    }
  }
}
