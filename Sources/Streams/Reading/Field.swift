/// What a row holds in one column.
enum Field: Sendable, Hashable {
  case text(String)
  case integer(Int)
  case texts([String])
  /// Something that is neither text nor an integer, in words: "a list".
  case other(String)
  case missing
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
