/// Gives the text of ids as they arrive, never half a character.
///
/// The parts joined are what `decode` gives for all the ids, as far as that can be said before the end: where bytes
/// that are no text follow bytes that are, in tokens of single bytes, `decode` gives up all of them.
public struct StreamingDecoder: Sendable {
  private let tokenizer: any Tokenizer
  private let skipsSpecialTokens: Bool
  /// Ids not given out yet, behind those of the last part given out: what a token says may depend on the one before.
  private var ids: [Int32] = []
  /// How many of `ids` have been given out.
  private var givenIDs = 0

  /// Starts a text.
  public init(_ tokenizer: any Tokenizer, skipSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    skipsSpecialTokens = skipSpecialTokens
  }

  /// The text that an id completes: none where it ends within a character.
  public mutating func append(_ id: Int32) -> String {
    ids.append(id)
    let (text, isWhole) = rest()
    guard isWhole, !text.isEmpty else { return "" }
    ids.removeSubrange(..<givenIDs)
    givenIDs = ids.count
    return text
  }

  /// What is left when no more ids come; half a character becomes a replacement character.
  public mutating func finish() -> String {
    let (text, _) = rest()
    ids = []
    givenIDs = 0
    return text
  }

  /// Text of the ids behind those given out, and whether it ends with a whole character.
  private func rest() -> (text: String, isWhole: Bool) {
    let given = decode(ids[..<givenIDs]).unicodeScalars
    let whole = decode(ids[...]).unicodeScalars
    return (String(whole.dropFirst(given.count)), whole.last != "\u{FFFD}")
  }

  private func decode(_ ids: ArraySlice<Int32>) -> String {
    tokenizer.decode(Array(ids), skipSpecialTokens: skipsSpecialTokens)
  }
}
