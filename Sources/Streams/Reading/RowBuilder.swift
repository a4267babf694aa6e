import Foundation
import Tokenizers

/// Makes an example of a row, or says why it cannot.
struct RowBuilder {
  /// The columns to ask a file for, in the order in which `example(from:log:)` expects them.
  let wanted: [String]
  private let columns: ColumnMap
  private let splitColumn: String?
  private let file: String
  private let stem: String

  init(columns: ColumnMap, splitColumn: String?, file: URL) {
    self.columns = columns
    self.splitColumn = splitColumn
    self.file = file.relativePath
    stem = file.stem
    let parts = columns.target == .conversation ? Conversations.columns : columns.text + columns.pair
    wanted = parts + [columns.target.column, columns.id, splitColumn].compactMap { $0 }
  }

  func example(from row: Row, log: inout ProblemLog) -> RawDataset.Example? {
    let problemsBefore = log.count
    let isConversation = columns.target == .conversation
    // A conversation has one of several forms, each with columns of its own.
    let optional = isConversation ? Conversations.columns.count : 0
    for (column, field) in zip(wanted, row.fields).dropFirst(optional) where field == .missing {
      log.add(.missingField(column, present: row.present), file: file, line: row.line)
    }
    guard log.count == problemsBefore else { return nil }
    var fields = zip(wanted, row.fields).makeIterator()
    var messages: [ChatMessage] = []
    if isConversation {
      let parts = Conversations.columns.compactMap { _ in fields.next() }
      messages = Conversations.messages(parts, present: row.present) {
        log.add($0, file: file, line: row.line)
      }
    }
    let text = isConversation ? [] : columns.text.map { _ in self.text(fields.next(), row.line, &log) }
    let pair = isConversation ? [] : columns.pair.map { _ in self.text(fields.next(), row.line, &log) }
    var label = "", answers: [String] = []
    switch columns.target {
    case .label: label = name(fields.next(), row.line, &log)
    case .answers: answers = texts(fields.next(), row.line, &log)
    case .none, .conversation: break
    }
    let id = columns.id.map { _ in name(fields.next(), row.line, &log) } ?? "\(stem):\(row.line)"
    let spelling = splitColumn.map { _ in name(fields.next(), row.line, &log) }
    guard log.count == problemsBefore else { return nil }
    let split = spelling.flatMap(Split.init(spelling:))
    if let spelling, split == nil {
      log.add(.unknownSplit(spelling), file: file, line: row.line)
      return nil
    }
    return RawDataset.Example(
      line: row.line, id: id, text: text.joined(separator: "\n"),
      pair: pair.isEmpty ? nil : pair.joined(separator: "\n"), label: label, answers: answers,
      split: split, messages: messages)
  }

  private func text(_ column: (String, Field)?, _ line: Int, _ log: inout ProblemLog) -> String {
    switch column {
    case (let name, .text(let text))?:
      if text.allSatisfy(\.isWhitespace) { log.add(.emptyText(field: name), file: file, line: line) }
      return text
    case (let name, .integer)?: log.add(.notText(field: name, found: "a number"), file: file, line: line)
    case (let name, .texts)?, (let name, .turns)?:
      log.add(.notText(field: name, found: "a list"), file: file, line: line)
    case (let name, .other(let found))?: log.add(.notText(field: name, found: found), file: file, line: line)
    default: break
    }
    return ""
  }

  /// A text, or a list of at least one, of which some may be empty.
  private func texts(_ column: (String, Field)?, _ line: Int, _ log: inout ProblemLog) -> [String] {
    guard case (let name, .texts(let texts))? = column else { return [text(column, line, &log)] }
    if texts.isEmpty { log.add(.emptyText(field: name), file: file, line: line) }
    return texts
  }

  /// A label, an id or a split: text or an integer, not empty.
  private func name(_ column: (String, Field)?, _ line: Int, _ log: inout ProblemLog) -> String {
    switch column {
    case (let name, .text(let text))?:
      if text.isEmpty { log.add(.emptyText(field: name), file: file, line: line) }
      return text
    case (_, .integer(let integer))?: return String(integer)
    case (let name, .texts)?, (let name, .turns)?:
      log.add(.notLabel(field: name, found: "a list"), file: file, line: line)
    case (let name, .other(let found))?: log.add(.notLabel(field: name, found: found), file: file, line: line)
    default: break
    }
    return ""
  }
}
