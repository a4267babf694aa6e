/// The most probable way to cut a piece into tokens that each have a log-probability (Viterbi).
///
/// Source: Kudo 2018, §3.2 (arXiv 1804.10959); behaviour of huggingface/tokenizers 0.23.
struct Unigram: Model {
  static let remembersPieces = true

  let vocabulary: Vocabulary
  let unknown: Int32?
  private let scores: [Double]
  private let unknownScore: Double
  private let byteTokens: [Int32?]

  /// - Parameters:
  ///   - pieces: token and log-probability, in the order of the ids.
  ///   - unknown: must be there when a piece cannot be spelled; without it such characters are left out.
  init(_ pieces: [(token: String, score: Double)], unknown: Int32?, fallsBackToBytes: Bool) {
    vocabulary = Vocabulary(pieces.enumerated().map { ($1.token, Int32($0)) })
    self.unknown = unknown
    scores = pieces.map(\.score)
    // Ten below the least probable token.
    unknownScore = (scores.min() ?? 0) - 10
    byteTokens = fallsBackToBytes ? vocabulary.byteTokens : []
  }

  /// The best way to a place: the last token on it, and where that starts.
  struct Node {
    var score = 0.0
    var start: Int32 = Node.unreached
    var id: Int32 = 0

    static let unreached: Int32 = -1
  }

  func append(_ piece: Range<Int>, of text: [UInt8], to tokens: inout [Token], in workspace: inout Workspace) {
    findBestPath(through: piece, of: text, &workspace.lattice)
    let first = tokens.count
    var end = piece.count
    while end > 0 {
      let node = workspace.lattice[end]
      let range = (piece.lowerBound + Int(node.start))..<(piece.lowerBound + end)
      if node.id == Unigram.unspelled, let last = tokens.indices.last, last >= first,
        tokens[last].id == Unigram.unspelled
      {
        tokens[last].range = range.lowerBound..<tokens[last].range.upperBound
      } else {
        tokens.append(Token(id: node.id, range: range))
      }
      end = Int(node.start)
    }
    tokens[first...].reverse()
    if tokens[first...].contains(where: { $0.id == Unigram.unspelled }) { spellUnknown(&tokens, from: first, text) }
  }

  /// Marks characters no token covers, until their run is known.
  private static let unspelled: Int32 = -1

  private func findBestPath(through piece: Range<Int>, of text: [UInt8], _ lattice: inout [Node]) {
    lattice.removeAll(keepingCapacity: true)
    lattice.append(contentsOf: repeatElement(Node(), count: piece.count + 1))
    var position = piece.lowerBound
    while position < piece.upperBound {
      let start = position - piece.lowerBound
      let here = lattice[start].score
      let width = UTF8.width(startingWith: text[position])
      var isCovered = false
      vocabulary.trie.forEachMatch(in: text, position..<piece.upperBound) { end, id in
        let target = end - piece.lowerBound
        let score = scores[Int(id)] + here
        if lattice[target].start == Node.unreached || score > lattice[target].score {
          lattice[target] = Node(score: score, start: Int32(start), id: id == unknown ? Unigram.unspelled : id)
        }
        if end == position + width { isCovered = true }
      }
      if !isCovered {
        let target = start + width
        let score = unknownScore + here
        if lattice[target].start == Node.unreached || score > lattice[target].score {
          lattice[target] = Node(score: score, start: Int32(start), id: Unigram.unspelled)
        }
      }
      position += width
    }
  }

  /// Replaces each run of unspelled characters: by a token that is all of it, by the tokens of its bytes, or by the
  /// unknown token.
  private func spellUnknown(_ tokens: inout [Token], from first: Int, _ text: [UInt8]) {
    let spelled = tokens[first...].flatMap { token -> [Token] in
      guard token.id == Unigram.unspelled else { return [token] }
      if let id = vocabulary.trie[text[token.range]] { return [Token(id: id, range: token.range)] }
      let bytes = byteTokens.isEmpty ? [] : text[token.range].compactMap { byteTokens[Int($0)] }
      if bytes.count == token.range.count { return bytes.map { Token(id: $0, range: token.range) } }
      return unknown.map { [Token(id: $0, range: token.range)] } ?? []
    }
    tokens.replaceSubrange(first..., with: spelled)
  }
}
