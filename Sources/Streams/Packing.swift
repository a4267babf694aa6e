/// How documents fill the rows that a language model is pretrained on.
public enum Packing: String, Sendable, Codable, CaseIterable {
  /// All documents behind one another, cut into rows of equal length; what is left at the end is dropped, and a text sees
  /// what stands before it in its row.
  case stream
  /// Whole documents behind one another, as many as fit a row, none seeing another; those that are longer than a row are
  /// cut.
  case documents
  /// Each document in rows of its own; those that are longer than a row are cut.
  case none

  /// One row: its tokens, and the lengths of its documents where there are several.
  struct Row: Equatable {
    var tokens: [Int32]
    var documents: [Int32] = []
  }

  /// Cuts documents into rows of at most `length` tokens.
  func rows(_ documents: [[Int32]], length: Int) -> [Row] {
    switch self {
    case .stream:
      let all = documents.flatMap { $0 }
      // A corpus that is shorter than a row is better read whole than not at all.
      guard all.count > length else { return all.isEmpty ? [] : [Row(tokens: all)] }
      return (0..<all.count / length).map { Row(tokens: Array(all[$0 * length..<($0 + 1) * length])) }
    case .none: return documents.flatMap { Self.pieces($0, length) }.map { Row(tokens: $0) }
    case .documents: return Self.filled(documents.flatMap { Self.pieces($0, length) }, length)
    }
  }

  private static func pieces(_ document: [Int32], _ length: Int) -> [[Int32]] {
    stride(from: 0, to: document.count, by: length).map { Array(document[$0..<min($0 + length, document.count)]) }
  }

  /// Best fit among the rows that were begun last: a text goes where it leaves the least room.
  private static func filled(_ pieces: [[Int32]], _ length: Int) -> [Row] {
    let openRows = 32
    var rows: [Row] = []
    for piece in pieces {
      let open = max(0, rows.count - openRows)..<rows.count
      let fitting = open.filter { rows[$0].tokens.count + piece.count <= length }
      if let best = fitting.max(by: { rows[$0].tokens.count < rows[$1].tokens.count }) {
        if rows[best].documents.isEmpty { rows[best].documents = [Int32(rows[best].tokens.count)] }
        rows[best].tokens += piece
        rows[best].documents.append(Int32(piece.count))
      } else {
        rows.append(Row(tokens: piece))
      }
    }
    return rows
  }
}
