/// Byte-pair encoding: starts from single characters and merges neighbours, the earliest merge first.
///
/// Source: Sennrich et al. 2016, §3.2 (arXiv 1508.07909); behaviour of huggingface/tokenizers 0.23.
struct BPE: Model {
  struct Options: Sendable, Equatable {
    /// Several unknown characters in a row become one unknown token.
    var fusesUnknown = false
    /// Spells an unknown character with the tokens of its bytes.
    var fallsBackToBytes = false
    /// Takes a piece that is a token as it is, whatever the merges say.
    var ignoresMerges = false
    /// Stands before each character of a piece but the first.
    var continuingPrefix = ""
    /// Stands behind the last character of a piece.
    var endSuffix = ""
  }

  static let remembersPieces = true

  let vocabulary: Vocabulary
  let unknown: Int32?
  private let merges: MergeTable
  private let options: Options
  private let byteTokens: [Int32?]

  init(_ vocabulary: Vocabulary, merges: MergeTable, unknown: Int32?, options: Options) {
    self.vocabulary = vocabulary
    self.merges = merges
    self.unknown = unknown
    self.options = options
    byteTokens = options.fallsBackToBytes ? vocabulary.byteTokens : []
  }

  func append(_ piece: Range<Int>, of text: [UInt8], to tokens: inout [Token], in workspace: inout Workspace) {
    if options.ignoresMerges, let id = vocabulary.trie[text[piece]] {
      tokens.append(Token(id: id, range: piece))
      return
    }
    workspace.symbols.removeAll(keepingCapacity: true)
    spell(piece, of: text, into: &workspace.symbols)
    merge(&workspace.symbols, &workspace.queue)
    for symbol in workspace.symbols where symbol.isAlive {
      tokens.append(Token(id: symbol.id, range: symbol.start..<symbol.end))
    }
  }
}

extension BPE {
  /// The mark words start with, where no merge reaches across the start of a word.
  ///
  /// Then a long piece can be cut there, without another result, and its words be remembered.
  var wordMark: [UInt8]? {
    guard !options.ignoresMerges, options.continuingPrefix.isEmpty, options.endSuffix.isEmpty else { return nil }
    return ["\u{2581}", " "].map { Array($0.utf8) }.first { vocabulary.trie[$0] != nil && !isCrossed($0) }
  }

  /// Whether a merge makes a token with a mark behind something else.
  private func isCrossed(_ mark: [UInt8]) -> Bool {
    merges.ids.contains { id in
      let text = Array((vocabulary[id: id] ?? "").utf8)
      return !WordStarts(mark: mark).parts(of: text, text.indices).dropFirst().isEmpty
    }
  }

  /// What stands behind the last character of a piece; empty where nothing does.
  var endSuffix: String { options.endSuffix }
}

extension BPE {
  /// A token in the making, linked to its neighbours.
  struct Symbol {
    var id: Int32
    var start: Int
    var end: Int
    var next: Int32
    var previous: Int32

    /// What a merge has swallowed is empty.
    var isAlive: Bool { start < end }
  }

  /// One symbol for each character.
  private func spell(_ piece: Range<Int>, of text: [UInt8], into symbols: inout [Symbol]) {
    var position = piece.lowerBound
    var lastIsUnknown = false
    while position < piece.upperBound {
      let start = position
      position += UTF8.width(startingWith: text[position])
      if let id = id(ofCharacter: start..<position, in: piece, of: text) {
        symbols.append(id, start..<position)
        lastIsUnknown = false
      } else if let ids = bytes(text[start..<position]) {
        for (offset, id) in ids.enumerated() { symbols.append(id, (start + offset)..<(start + offset + 1)) }
        lastIsUnknown = false
      } else if let unknown {
        if lastIsUnknown, options.fusesUnknown {
          symbols[symbols.count - 1].end = position
        } else {
          symbols.append(unknown, start..<position)
        }
        lastIsUnknown = true
      }
    }
  }

  private func id(ofCharacter character: Range<Int>, in piece: Range<Int>, of text: [UInt8]) -> Int32? {
    let isInner = character.lowerBound > piece.lowerBound && !options.continuingPrefix.isEmpty
    let isLast = character.upperBound == piece.upperBound && !options.endSuffix.isEmpty
    guard isInner || isLast else { return vocabulary.trie.value(of: text, character) }
    let prefix = isInner ? Array(options.continuingPrefix.utf8) : []
    let suffix = isLast ? Array(options.endSuffix.utf8) : []
    return vocabulary.trie[prefix + text[character] + suffix]
  }

  /// Tokens of the bytes, if bytes have tokens here.
  private func bytes(_ character: ArraySlice<UInt8>) -> [Int32]? {
    guard options.fallsBackToBytes else { return nil }
    let ids = character.compactMap { byteTokens[Int($0)] }
    return ids.count == character.count ? ids : nil
  }

  private func merge(_ symbols: inout [Symbol], _ queue: inout Queue) {
    guard symbols.count > 1 else { return }
    for index in 0..<(symbols.count - 1) { offer(index, &symbols, &queue) }
    while let merge = queue.pop() {
      let left = symbols[merge.index]
      guard left.isAlive, left.next >= 0 else { continue }
      let right = symbols[Int(left.next)]
      // Either symbol has changed since the merge was queued, unless they still end where it would.
      guard right.end == merge.end else { continue }
      symbols[merge.index].id = merge.id
      symbols[merge.index].end = right.end
      symbols[merge.index].next = right.next
      symbols[Int(left.next)].end = right.start
      if right.next >= 0 { symbols[Int(right.next)].previous = Int32(merge.index) }
      if left.previous >= 0 { offer(Int(left.previous), &symbols, &queue) }
      offer(merge.index, &symbols, &queue)
    }
  }

  /// Queues the merge of a symbol with its right neighbour, if there is one.
  private func offer(_ index: Int, _ symbols: inout [Symbol], _ queue: inout Queue) {
    let symbol = symbols[index]
    guard symbol.next >= 0 else { return }
    let right = symbols[Int(symbol.next)]
    guard let merge = merges[symbol.id, right.id] else { return }
    queue.push(Queue.Entry(rank: merge.rank, index: index, id: merge.id, end: right.end))
  }
}

extension [BPE.Symbol] {
  fileprivate mutating func append(_ id: Int32, _ range: Range<Int>) {
    let index = Int32(count)
    if index > 0 { self[count - 1].next = index }
    append(BPE.Symbol(id: id, start: range.lowerBound, end: range.upperBound, next: -1, previous: index - 1))
  }
}
