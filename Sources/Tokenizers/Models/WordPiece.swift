/// Splits a word into the longest pieces of a vocabulary, from the left.
///
/// Source: Devlin et al. 2019, §3 (arXiv 1810.04805); behaviour of huggingface/tokenizers 0.23.
struct WordPiece: Model {
  /// A walk through the trie is as fast as looking a piece up.
  static let remembersPieces = false

  let vocabulary: Vocabulary
  private let unknownToken: Int32
  let maxScalarsPerWord: Int
  /// Where the pieces that continue a word start in the vocabulary's trie, if there are any.
  private let continuation: Int32?

  init(_ vocabulary: Vocabulary, unknown: Int32, continuingPrefix: String, maxScalarsPerWord: Int) {
    self.vocabulary = vocabulary
    unknownToken = unknown
    self.maxScalarsPerWord = maxScalarsPerWord
    continuation = vocabulary.trie.node(continuingPrefix.utf8)
  }

  var unknown: Int32? { unknownToken }

  /// Appends the pieces of `text[word]`, or the unknown token where there is a part no piece covers.
  func append(_ word: Range<Int>, of text: [UInt8], to tokens: inout [Token], in workspace: inout Workspace) {
    let first = tokens.count
    guard !isTooLong(word, of: text) else {
      tokens.append(Token(id: unknownToken, range: word))
      return
    }
    var start = word.lowerBound
    while start < word.upperBound {
      let node = start == word.lowerBound ? ByteTrie.root : continuation
      guard let node, let match = vocabulary.trie.longestMatch(in: text, start..<word.upperBound, from: node) else {
        tokens.removeSubrange(first...)
        tokens.append(Token(id: unknownToken, range: word))
        return
      }
      tokens.append(Token(id: match.value, range: start..<match.end))
      start = match.end
    }
  }

  private func isTooLong(_ word: Range<Int>, of text: [UInt8]) -> Bool {
    word.count > maxScalarsPerWord && text[word].count(where: { $0 & 0xC0 != 0x80 }) > maxScalarsPerWord
  }
}
