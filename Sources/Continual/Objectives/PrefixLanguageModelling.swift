public import Streams
public import Torch

/// Prefix language modelling: a row is cut at a random place, its beginning is read and the rest written. Both sides end
/// with the end token.
///
/// Spans alone teach a decoder to begin with a sentinel, whatever was read, which prompts and adapters are slow to undo; a
/// while of this objective after them does it.
/// Sources: Raffel et al. 2020, §3.3.1 (arXiv 1910.10683); Lester et al. 2021, §3.2, "LM adaptation" (arXiv 2104.08691).
public struct PrefixLanguageModelling: Objective {
  /// Ends what is read and what is written.
  public let end: Int32

  public init(end: Int32) { self.end = end }

  /// The end token comes behind a row, not behind a document.
  public func document(_ ids: [Int32]) -> [Int32] { ids.last == end ? ids.dropLast() : ids }

  /// The longest beginning leaves one token to write, and its end token takes that one's place.
  public func rowLength(reading maxTokens: Int) -> Int { maxTokens }

  public func pose(_ row: TokenizedExample, using generator: inout Generator) -> TokenizedExample {
    precondition(row.tokens.count > 1, "PrefixLanguageModelling: a row of \(row.tokens.count) tokens cannot be cut")
    let cut = 1 + generator.index(below: row.tokens.count - 1)
    var posed = row
    posed.tokens = row.tokens[..<cut] + [end]
    posed.answer = row.tokens[cut...] + [end]
    return posed
  }
}
