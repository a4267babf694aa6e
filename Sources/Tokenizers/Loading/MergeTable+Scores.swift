extension MergeTable {
  /// Every way to cut a piece into two pieces of the vocabulary: the best score first, of equal ones the leftmost in the
  /// text.
  ///
  /// Source: google/sentencepiece v0.2.0 `bpe_model.cc`, `SampleEncode`; karpathy/llama2.c `run.c` at 350e04f, `encode`.
  /// - Parameter pieces: those that merges may make.
  init(cutting pieces: [(id: Int32, text: String, score: Double)], in vocabulary: Vocabulary) {
    let scores = Set(pieces.map(\.score)).sorted(by: >)
    let ranks = Dictionary(uniqueKeysWithValues: zip(scores, UInt32(0)...))
    let found = pieces.flatMap { piece in
      let bytes = Array(piece.text.utf8)
      return bytes.indices.dropFirst().compactMap { cut -> (left: Int32, right: Int32, merge: Merge)? in
        guard let left = vocabulary.trie[bytes[..<cut]], let right = vocabulary.trie[bytes[cut...]],
          let rank = ranks[piece.score]
        else { return nil }
        return (left, right, Merge(rank: rank, id: piece.id))
      }
    }
    self.init(capacity: found.count)
    for (left, right, merge) in found { insert(left, right, merge) }
  }
}
