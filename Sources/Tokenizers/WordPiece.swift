/// Splits a word into the longest pieces of a vocabulary, from the left.
///
/// Source: Devlin et al. 2019, §3 (arXiv 1810.04805); behaviour of huggingface/tokenizers 0.23.
struct WordPiece: Sendable {
  let vocabulary: Vocabulary
  let unknown: Int32
  let maxScalarsPerWord: Int
  /// Where the pieces that continue a word start in the vocabulary's trie, if there are any.
  private let continuation: Int32?

  init(_ vocabulary: Vocabulary, unknown: Int32, continuingPrefix: String, maxScalarsPerWord: Int) {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.maxScalarsPerWord = maxScalarsPerWord
    continuation = vocabulary.trie.node(continuingPrefix.utf8)
  }

  /// Appends the pieces of `text[word]`, or the unknown token where there is a part no piece covers.
  func append(_ word: Range<Int>, of text: [UInt8], to ids: inout [Int32]) {
    let first = ids.count
    guard !isTooLong(word, of: text) else {
      ids.append(unknown)
      return
    }
    var start = word.lowerBound
    while start < word.upperBound {
      let node = start == word.lowerBound ? ByteTrie.root : continuation
      guard let node, let match = vocabulary.trie.longestMatch(in: text, start..<word.upperBound, from: node) else {
        ids.removeSubrange(first...)
        ids.append(unknown)
        return
      }
      ids.append(match.value)
      start = match.end
    }
  }

  private func isTooLong(_ word: Range<Int>, of text: [UInt8]) -> Bool {
    word.count > maxScalarsPerWord && text[word].count(where: { $0 & 0xC0 != 0x80 }) > maxScalarsPerWord
  }
}
