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
    var first = ids(of: text)
    var second = pair.map(ids)
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

  /// Ids without special tokens around them.
  private func ids(of text: String) -> [Int32] {
    let text = Array(text.utf8)
    var ids: [Int32] = []
    for stretch in addedTokens.splitRaw(text) {
      if let id = stretch.id {
        ids.append(id)
      } else {
        append(normalizer.normalize(text, stretch.range), to: &ids)
      }
    }
    return ids
  }

  /// Appends the ids of normalized text.
  private func append(_ text: [UInt8], to ids: inout [Int32]) {
    for stretch in addedTokens.splitNormalized(text) {
      if let id = stretch.id {
        ids.append(id)
        continue
      }
      var position = stretch.range.lowerBound
      while let word = BertPreTokenizer.nextWord(in: text, from: &position, to: stretch.range.upperBound) {
        model.append(word, of: text, to: &ids)
      }
    }
  }
}
