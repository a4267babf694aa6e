import Foundation
import Testing
import Tokenizers

/// What a tokenizer with scores makes of texts: `Tools/golden/tokenizers_scores.py`.
struct ScoredGolden: Decodable {
  struct Case: Decodable {
    let text: String
    let ids: [Int32]
  }

  struct Corpus: Decodable {
    let collection: String
    let texts, tokens: Int
    let sha256: String
  }

  let cases: [Case]
  let corpora: [Corpus]

  /// Ids equal to the golden's, and the texts back from them.
  func check(_ tokenizer: any Tokenizer) throws {
    for golden in cases {
      let (encoding, spans) = tokenizer.encodeWithSpans(golden.text)
      #expect(tokenizer.encode(golden.text).ids == golden.ids, "\(golden.text.debugDescription)")
      #expect(encoding.ids == golden.ids && spans.count == golden.ids.count)
    }
    for golden in corpora {
      let texts = try Corpora.texts(of: golden.collection, isWhole: false).prefix(golden.texts)
      var sum = SHA256()
      var tokens = 0
      for text in texts {
        let ids = tokenizer.encode(text).ids
        sum.update([Int32(ids.count)])
        sum.update(ids)
        tokens += ids.count
        // Bytes, not characters: Swift compares strings up to canonical equivalence.
        #expect(tokenizer.decode(ids, skipSpecialTokens: true).utf8.elementsEqual(text.utf8))
      }
      #expect(texts.count == golden.texts && tokens == golden.tokens && sum.finish() == golden.sha256)
    }
  }
}

/// Llama 2's `tokenizer.model`: ids equal to SentencePiece's rules, written anew.
@Suite(
  .enabled(
    if: Fixtures.exists(Fixtures.data.appendingPathComponent("tokenizers")),
    "needs the data in the folder of JAY_DATA"))
struct SentencePieceTests {
  private static let folder = Fixtures.data.appendingPathComponent("tokenizers/llama")

  @Test func idsEqualTheReference() throws {
    let tokenizer = try TokenizerLoader.load(from: Self.folder.appendingPathComponent("tokenizer.model"))
    try Fixtures.golden("sentencepiece.json", as: ScoredGolden.self).check(tokenizer)
    // Behind a special token no mark is put.
    #expect(tokenizer.encode("<s>a </s>  b").ids == [1, 1, 29874, 29871, 2, 29871, 289])
  }
}
