public import Streams
public import Torch

/// Causal language modelling: every token of a row is predicted from those before it, the first excepted; where documents
/// are packed, the first of each.
public struct NextToken: Objective {
  /// Ends every document; nil where the tokenizer has no such token.
  public let end: Int32?

  public init(end: Int32?) { self.end = end }

  public func document(_ ids: [Int32]) -> [Int32] {
    guard let end, ids.last != end else { return ids }
    return ids + [end]
  }

  /// The last token of a row is predicted only.
  public func rowLength(reading maxTokens: Int) -> Int { maxTokens + 1 }

  /// Documents of one token are predicted from nothing.
  public func teaches(_ row: TokenizedExample) -> Bool { row.documents.isEmpty || row.documents.contains { $0 > 1 } }

  public func pose(_ row: TokenizedExample, using generator: inout Generator) -> TokenizedExample {
    var posed = row
    posed.tokens.removeLast()
    var ends = Set<Int>()
    var start = 0
    for length in row.documents {
      start += Int(length)
      ends.insert(start - 1)
    }
    let places = posed.tokens.indices.filter { !ends.contains($0) }
    posed.places = places.map(Int32.init)
    posed.answer = places.map { row.tokens[$0 + 1] }
    if let last = posed.documents.indices.last { posed.documents[last] -= 1 }
    return posed
  }
}
