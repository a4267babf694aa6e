import Testing

@testable import Tokenizers

struct ByteTrieTests {
  /// Keys of one to six bytes, with many shared beginnings, made by a linear congruential generator.
  private static let keys: [[UInt8]] = {
    var state: UInt32 = 1
    func next(_ bound: UInt32) -> UInt32 {
      state = state &* 1_664_525 &+ 1_013_904_223
      return (state >> 16) % bound
    }
    let keys = (0..<20_000).map { _ in
      (0...next(6)).map { _ in UInt8(next(8) == 0 ? next(256) : 97 + next(6)) }
    }
    return Array(Set(keys))
  }()

  @Test func findsEveryKeyAndNothingElse() {
    let trie = ByteTrie(Self.keys.enumerated().map { ($1, Int32($0)) })
    let values = Dictionary(uniqueKeysWithValues: zip(Self.keys, Int32(0)...))
    for key in Self.keys {
      #expect(trie[key] == values[key])
      for byte in [0, 97, 255] as [UInt8] { #expect(trie[key + [byte]] == values[key + [byte]]) }
    }
  }

  @Test func findsTheLongestKeyThatStartsAText() {
    let trie = ByteTrie(["a", "abc", "abcde", "b"].enumerated().map { (Array($1.utf8), Int32($0)) })
    let text = Array("abcdx".utf8)
    let match = trie.longestMatch(in: text, 0..<5, from: ByteTrie.root)
    #expect(match?.end == 3 && match?.value == 1)
    #expect(trie.longestMatch(in: text, 2..<5, from: ByteTrie.root) == nil)
    #expect(trie.longestMatch(in: text, 0..<2, from: ByteTrie.root)?.end == 1)
  }

  @Test func keepsTheLastOfEqualKeys() {
    #expect(ByteTrie([([1], 5), ([1, 2], 6), ([1], 7)])[[1]] == 7)
  }

  @Test func isEmptyWithoutKeys() {
    let trie = ByteTrie([])
    #expect(trie[[0]] == nil && trie[[]] == nil)
  }
}
