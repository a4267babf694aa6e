import Foundation

/// Reads a text file whose lines are documents; blank lines are passed over.
struct PlainText {
  /// The columns asked for, of which a line is the first.
  let columns: [String]

  func read(_ file: URL, log: inout ProblemLog, _ body: (Row, inout ProblemLog) -> Void) throws {
    let name = file.relativePath
    var lines = try LineReader(file)
    try lines.forEach { line, bytes in
      guard let text = String(validating: bytes, as: UTF8.self) else {
        return log.add(.notUTF8, file: name, line: line)
      }
      let document = text.hasSuffix("\r") ? String(text.dropLast()) : text
      guard !document.allSatisfy(\.isWhitespace) else { return }
      body(Row(line: line, fields: fields(document), present: Array(columns.prefix(1))), &log)
    }
  }

  private func fields(_ document: String) -> [Field] {
    [.text(document)] + columns.dropFirst().map { _ in .missing }
  }
}
