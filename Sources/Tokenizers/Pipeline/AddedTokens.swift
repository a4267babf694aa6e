/// Tokens that are recognized in running text before it is cut into words, such as `[MASK]`.
struct AddedTokens: Sendable {
  struct Token: Sendable, Equatable {
    var content: String
    var id: Int32
    /// Counts only where no word character touches it.
    var isSingleWord = false
    /// Takes the white space before it along.
    var stripsLeft = false
    /// Takes the white space behind it along.
    var stripsRight = false
    /// Is looked for, normalized, in normalized text instead of the raw text.
    var isNormalized = false
    /// Is left out when decoding without special tokens.
    var isSpecial = true
    /// Is looked for at all; else only a template writes it.
    var isSought = true
  }

  /// A stretch of text: an added token, or what lies between two of them.
  struct Stretch: Equatable {
    var range: Range<Int>
    var id: Int32?
  }

  private let texts: [Int32: String]
  private let raw: Finder
  private let normalized: Finder
  /// Ids of the tokens that decoding may leave out: those whose text is the content of a special one.
  let special: Set<Int32>

  init(_ list: [Token], normalizer: (any Normalizer)?) {
    func pattern(_ token: Token) -> [UInt8] {
      let content = Array(token.content.utf8)
      return token.isNormalized ? normalizer?.normalized(content) ?? content : content
    }
    let texts = Dictionary(
      list.map { ($0.id, String(decoding: pattern($0), as: UTF8.self)) }, uniquingKeysWith: { $1 })
    self.texts = texts
    let specialContents = Set(list.filter(\.isSpecial).map { Array($0.content.utf8) })
    special = Set(texts.filter { specialContents.contains(Array($0.value.utf8)) }.keys)
    let sought = list.filter(\.isSought)
    raw = Finder(sought.filter { !$0.isNormalized }.map { (pattern($0), $0) })
    normalized = Finder(sought.filter(\.isNormalized).map { (pattern($0), $0) })
  }

  /// What decoding writes for a token: its content, normalized where the token is.
  subscript(id id: Int32) -> String? { texts[id] }

  /// The largest id.
  var largestID: Int32? { texts.keys.max() }

  /// Cuts raw text around the tokens that are not normalized.
  func splitRaw(_ text: [UInt8]) -> [Stretch] { raw.split(text) }

  /// Cuts normalized text around the tokens that are.
  func splitNormalized(_ text: [UInt8]) -> [Stretch] { normalized.split(text) }
}

extension AddedTokens {
  /// Finds tokens from the left, the longest first.
  private struct Finder: Sendable {
    private let trie: ByteTrie
    private let tokens: [Token]
    private var starts = [Bool](repeating: false, count: 256)

    /// - Parameter patterns: what to look for, and the token it stands for.
    init(_ patterns: [(pattern: [UInt8], token: Token)]) {
      let patterns = patterns.filter { !$0.pattern.isEmpty }
      tokens = patterns.map(\.token)
      trie = ByteTrie(patterns.indices.map { (patterns[$0].pattern, Int32($0)) })
      for (pattern, _) in patterns { starts[Int(pattern[0])] = true }
    }

    func split(_ text: [UInt8]) -> [Stretch] {
      if tokens.isEmpty { return [Stretch(range: text.indices)] }
      var stretches: [Stretch] = []
      var done = 0
      var position = 0
      while position < text.count {
        guard starts[Int(text[position])],
          let match = trie.longestMatch(in: text, position..<text.count, from: ByteTrie.root)
        else {
          position += 1
          continue
        }
        let token = tokens[Int(match.value)]
        let found = position..<match.end
        position = match.end
        guard !token.isSingleWord || AddedTokens.standsAlone(found, in: text) else { continue }
        let whole = AddedTokens.widened(found, for: token, in: text, notBefore: done)
        if done < whole.lowerBound { stretches.append(Stretch(range: done..<whole.lowerBound)) }
        stretches.append(Stretch(range: whole, id: token.id))
        done = whole.upperBound
        position = max(position, done)
      }
      if done < text.count { stretches.append(Stretch(range: done..<text.count)) }
      return stretches
    }
  }

  private static func standsAlone(_ range: Range<Int>, in text: [UInt8]) -> Bool {
    var end = range.upperBound
    return (range.lowerBound == 0 || !text.scalar(before: range.lowerBound).isWordCharacter)
      && (end == text.count || !text.scalar(at: &end).isWordCharacter)
  }

  private static func widened(
    _ range: Range<Int>, for token: Token, in text: [UInt8], notBefore limit: Int
  ) -> Range<Int> {
    var lower = range.lowerBound
    var upper = range.upperBound
    while token.stripsLeft, lower > limit {
      let scalar = text.scalar(before: lower)
      guard scalar.isBlank else { break }
      lower -= UTF8.width(scalar)
    }
    while token.stripsRight, upper < text.count {
      var next = upper
      guard text.scalar(at: &next).isBlank else { break }
      upper = next
    }
    return lower..<upper
  }
}
