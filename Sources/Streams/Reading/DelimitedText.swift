import Foundation

/// Reads the wanted columns of comma- or tab-separated text with a header row (RFC 4180; lines may also end in LF).
struct DelimitedText {
  let columns: [String]
  let separator: UInt8

  func read(_ file: URL, log: inout ProblemLog, _ body: (Row, inout ProblemLog) -> Void) throws {
    let name = file.relativePath
    let bytes = try ByteReader(file).readAll()
    guard !Self.endsLinesInReturns(bytes) else { return log.add(.returnsAlone, file: name) }
    var parser = RecordParser(bytes: bytes, separator: separator)
    guard let header = next(&parser, file: name, log: &log) else { return }
    for (position, column) in header.fields.enumerated()
    where header.fields[..<position].count(where: { $0 == column }) == 1 {
      log.add(.duplicateColumn(column), file: name, line: header.line)
    }
    let places = columns.map { header.fields.firstIndex(of: $0) }
    for (column, place) in zip(columns, places) where place == nil {
      log.add(.missingField(column, present: header.fields), file: name, line: header.line)
    }
    let found = places.compactMap { $0 }
    guard found.count == columns.count else { return }
    while let record = next(&parser, file: name, log: &log) {
      guard record.fields.count == header.fields.count else {
        log.add(.columnCount(record.fields.count, expected: header.fields.count), file: name, line: record.line)
        continue
      }
      body(Row(line: record.line, fields: found.map { .text(record.fields[$0]) }, present: []), &log)
    }
  }

  /// Whether the header ends in a CR that no LF follows: all of such a file would be one record.
  private static func endsLinesInReturns(_ bytes: [UInt8]) -> Bool {
    var isQuoted = false
    for (position, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "\n") where !isQuoted: return false
      case UInt8(ascii: "\r") where !isQuoted:
        return position + 1 < bytes.count && bytes[position + 1] != UInt8(ascii: "\n")
      default: break
      }
    }
    return false
  }

  /// The next record that could be read; the others go to the log.
  private func next(_ parser: inout RecordParser, file: String, log: inout ProblemLog) -> (line: Int, fields: [String])?
  {
    while let record = parser.next() {
      if let problem = record.problem {
        log.add(problem, file: file, line: record.line)
        continue
      }
      let fields = record.fields.compactMap { String(validating: $0, as: UTF8.self) }
      if fields.count == record.fields.count { return (record.line, fields) }
      log.add(.notUTF8, file: file, line: record.line)
    }
    return nil
  }
}

/// Parts bytes into records and fields.
struct RecordParser {
  struct Record {
    /// The line on which the record starts.
    let line: Int
    var fields: [[UInt8]] = []
    var problem: DataProblem.Kind?
  }

  private let bytes: [UInt8]
  private let separator: UInt8
  private var position: Int
  private var line = 1

  init(bytes: [UInt8], separator: UInt8) {
    self.bytes = bytes
    self.separator = separator
    position = bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0
  }

  /// The next record, passing over blank lines, or `nil` at the end.
  mutating func next() -> Record? {
    while skipLineEnd() {}
    guard position < bytes.count else { return nil }
    var record = Record(line: line)
    repeat {
      record.fields.append(bytes[position...].first == quote ? quotedField(&record) : plainField())
    } while skipSeparator()
    _ = skipLineEnd()
    return record
  }

  private let quote = UInt8(ascii: "\"")

  private mutating func plainField() -> [UInt8] {
    let start = position
    while position < bytes.count, bytes[position] != separator, !isAtLineEnd { position += 1 }
    return Array(bytes[start..<position])
  }

  private mutating func quotedField(_ record: inout Record) -> [UInt8] {
    position += 1
    var field: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte != quote {
        if byte == newline { line += 1 }
        field.append(byte)
      } else if position < bytes.count, bytes[position] == quote {
        field.append(quote)
        position += 1
      } else {
        if !plainField().isEmpty { record.problem = .textAfterQuote }
        return field
      }
    }
    record.problem = .unclosedQuote
    return field
  }

  private let newline = UInt8(ascii: "\n")

  private var isAtLineEnd: Bool {
    if bytes[position] == newline { return true }
    let isReturn = bytes[position] == UInt8(ascii: "\r")
    return isReturn && (position + 1 == bytes.count || bytes[position + 1] == newline)
  }

  private mutating func skipSeparator() -> Bool {
    guard position < bytes.count, bytes[position] == separator else { return false }
    position += 1
    return true
  }

  private mutating func skipLineEnd() -> Bool {
    guard position < bytes.count, isAtLineEnd else { return false }
    if bytes[position] != newline { position += 1 }
    if position < bytes.count { position += 1 }
    line += 1
    return true
  }
}
