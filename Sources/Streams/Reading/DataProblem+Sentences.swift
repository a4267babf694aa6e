public import Foundation

extension DataError: LocalizedError {
  public var errorDescription: String? { description }
}

extension DataProblem.Kind: CustomStringConvertible {
  public var description: String {
    switch self {
    case .absent: "file not found; check the path"
    case .isFolder: "this is a folder; name a .jsonl, .csv, .tsv or .txt file"
    case .unreadable(let reason): "cannot be read (\(reason)); mend its permissions or copy it again"
    case .unknownFormat:
      "unknown kind of file; name it .jsonl, .csv, .tsv or .txt, with .gz behind it if it is compressed"
    case .onlyDocuments:
      "a .txt file holds documents, one a line, without labels or answers; write a .jsonl, .csv or .tsv file"
    case .notGzip: "not gzip although the name ends in .gz; rename it, or compress it with gzip"
    case .truncatedGzip: "the gzip data end too early; copy or download the file again"
    case .corruptGzip(let detail): "the gzip data are corrupt (\(detail)); copy or download the file again"
    case .notUTF8: "not valid UTF-8; save the file as UTF-8"
    case .notJSON: "not a JSON object; write one object {…} on each line"
    case .emptySplit(let name): "the \(name) split has no examples; add some"
    case .returnsAlone:
      "the lines end in CR alone, as old spreadsheets wrote them; convert the file: tr '\\r' '\\n' < OLD > NEW"
    case .unclosedQuote: "a quoted field is never closed; close it with \" and write a quote inside it as \"\""
    case .textAfterQuote: "text after the closing quote of a field; write a quote inside a quoted field as \"\""
    case .columnCount(let count, let expected):
      "\(count) \(count == 1 ? "column" : "columns") where the header has \(expected); put fields that hold the separator in quotes"
    case .duplicateColumn(let name): "the header names \"\(name)\" twice; rename one"
    case .conversation(let problem): problem.description
    case .stream(let key, let problem): (key.isEmpty ? "" : "\(key): ") + problem.description
    default: fieldSentence
    }
  }

  private var fieldSentence: String {
    switch self {
    case .missingField(let name, let present):
      if let near = Nearest.name(to: name, among: present) {
        "no field \"\(name)\"; the nearest is \"\(near)\": rename it, or name that column instead"
      } else {
        "no field \"\(name)\" among \(quotedList(present)); add it, or name another column"
      }
    case .notText(let field, let found): "field \"\(field)\" holds \(found), not text; write it as a string"
    case .notLabel(let field, let found):
      "field \"\(field)\" holds \(found), not a label; write a string or an integer"
    case .emptyText(let field): "field \"\(field)\" is empty; fill it or remove the line"
    case .unknownLabel(let label, let known):
      "unknown label \"\(label)\"; the labels are \(quotedList(known)): mend it, or add it to train and to the labels"
    case .unknownSplit(let value): "unknown split \"\(value)\"; write \"train\", \"validation\" or \"test\""
    case .duplicateID(let id, let firstLine):
      "id \"\(id)\" stands on line \(firstLine) already; give every example an id of its own"
    default: preconditionFailure("DataProblem.Kind: no sentence for this case")
    }
  }
}
