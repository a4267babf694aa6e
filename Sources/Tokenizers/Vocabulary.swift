/// Tokens with their ids, both ways.
struct Vocabulary: Sendable {
  /// Ids by the tokens' UTF-8.
  let trie: ByteTrie
  private let tokens: [Int32: String]

  /// - Parameter entries: the last of equal tokens wins.
  init(_ entries: [(token: String, id: Int32)]) {
    let trie = ByteTrie(entries.map { (Array($0.token.utf8), $0.id) })
    self.trie = trie
    var tokens: [Int32: String] = [:]
    tokens.reserveCapacity(entries.count)
    for (token, id) in entries where trie[token.utf8] == id { tokens[id] = token }
    self.tokens = tokens
  }

  var count: Int { tokens.count }

  subscript(id id: Int32) -> String? { tokens[id] }

  func id(of token: String) -> Int32? { trie[token.utf8] }
}
