/// The tokenizer of the BERT family: normalizer, split at white space and punctuation, WordPiece.
struct BertTokenizer: Tokenizer {
  let normalizer: BertNormalizer
  let model: WordPiece
  let addedTokens: AddedTokens
  let template: Template
  let decoder: WordPieceDecoder
  let specialTokens: SpecialTokens
  let vocabularySize: Int

  func encode(_ text: String, pair: String?, maxTokens: Int?) -> Encoding {
    let added = template.addedTokens(toPair: pair != nil)
    if let maxTokens {
      precondition(
        maxTokens >= added,
        "encode: maxTokens \(maxTokens) leaves no room for the \(added) special tokens the model adds")
    }
    var first = ids(of: text, atLeast: maxTokens)
    var second = pair.map { ids(of: $0, atLeast: maxTokens) }
    if let maxTokens {
      let keep = longestFirst(first.count, second?.count ?? 0, room: maxTokens - added)
      first.removeSubrange(keep.first...)
      second?.removeSubrange(keep.second...)
    }
    return template.apply(first, second)
  }

  func decode(_ ids: [Int32], skipSpecialTokens: Bool) -> String {
    decoder.decode(
      ids.lazy.filter { !skipSpecialTokens || !addedTokens.special.contains($0) }
        .compactMap { addedTokens[id: $0] ?? model.vocabulary[id: $0] })
  }

  /// Ids without special tokens around them. The reference stops after the word that completes `limit`, and how far
  /// past it a text got decides which of a pair counts as the longer; so does this.
  private func ids(of text: String, atLeast limit: Int?) -> [Int32] {
    let text = Array(text.utf8)
    var ids: [Int32] = []
    for stretch in addedTokens.splitRaw(text) {
      if let id = stretch.id {
        ids.append(id)
      } else if !append(normalizer.normalize(text, stretch.range), to: &ids, limit: limit ?? .max) {
        break
      }
    }
    return ids
  }

  /// Appends the ids of normalized text, and says whether there is room for more.
  private func append(_ text: [UInt8], to ids: inout [Int32], limit: Int) -> Bool {
    guard addedTokens.searchesNormalizedText else {
      return append(text, text.indices, to: &ids, limit: limit)
    }
    for stretch in addedTokens.splitNormalized(text) {
      if let id = stretch.id {
        ids.append(id)
      } else if !append(text, stretch.range, to: &ids, limit: limit) {
        return false
      }
    }
    return true
  }

  private func append(_ text: [UInt8], _ range: Range<Int>, to ids: inout [Int32], limit: Int) -> Bool {
    var position = range.lowerBound
    while let word = BertPreTokenizer.nextWord(in: text, from: &position, to: range.upperBound) {
      model.append(word, of: text, to: &ids)
      if ids.count >= limit { return false }
    }
    return true
  }
}
