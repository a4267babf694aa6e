/// Tokens with their ids, both ways.
struct Vocabulary: Sendable {
  /// Ids by the tokens' UTF-8.
  let trie: ByteTrie
  /// Tokens by id; ids may leave gaps, but hardly wide ones.
  private let tokens: [String?]
  /// How many tokens there are.
  let count: Int
  /// The largest id that a file may have: there is a place for each up to it.
  static let largestID: Int32 = (1 << 24) - 1

  /// - Parameter entries: the last of equal tokens wins.
  init(_ entries: [(token: String, id: Int32)]) {
    let trie = ByteTrie(entries.map { (Array($0.token.utf8), $0.id) })
    self.trie = trie
    var tokens = [String?](repeating: nil, count: Int((entries.map(\.id).max() ?? -1) + 1))
    for (token, id) in entries where trie[token.utf8] == id { tokens[Int(id)] = token }
    self.tokens = tokens
    count = tokens.count { $0 != nil }
  }

  /// One more than the largest id.
  var idBound: Int { tokens.count }

  subscript(id id: Int32) -> String? { tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil }

  func id(of token: String) -> Int32? { trie[token.utf8] }

  /// Ids of the tokens `<0x00>` to `<0xFF>`, which stand for single bytes.
  var byteTokens: [Int32?] {
    (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return id(of: "<0x" + (digits.count < 2 ? "0" : "") + digits + ">")
    }
  }
}
