import Foundation
import Testing
import Tokenizers

/// Ids equal to huggingface/tokenizers on corpora, by SHA-256: on the beginning of each file, or where
/// `JAY_WHOLE_CORPORA` is set on all of it.
@Suite(
  .enabled(
    if: Fixtures.exists(Fixtures.data.appendingPathComponent("tokenizers")),
    "needs the data in the folder of JAY_DATA"))
struct FamilyCorpusTests {
  struct Golden: Decodable {
    let collection, tokenizer: String
    /// Which files the tokenizer is read from.
    let source: Source
    let beginning, whole: Digest
  }

  enum Source: String, Decodable {
    case tokenizerFile = "tokenizer.json"
    case olderFiles = "older files"
  }

  struct Digest: Decodable, Equatable {
    let texts, tokens: Int
    let sha256: String
  }

  private static let isWhole = ProcessInfo.processInfo.environment["JAY_WHOLE_CORPORA"] != nil

  @Test(arguments: ["cl15", "corpora", "extra"])
  func idsEqualTheReference(collection: String) throws {
    let goldens = try Fixtures.golden("Families/corpora.json", as: [Golden].self)
      .filter { $0.collection == collection }
    #expect(Set(goldens.map(\.tokenizer)).count == Family.all.count)
    let texts = try Corpora.texts(of: collection, isWhole: Self.isWhole).map { ($0, nil as String?) }
    for golden in goldens {
      let family = try #require(Family.all.first { $0.name == golden.tokenizer })
      let tokenizer = try golden.source == .olderFiles ? family.fromOlderFiles() : family.fromTokenizerFile()
      var sum = SHA256()
      var tokens = 0
      for encoding in tokenizer.encodeAll(texts) {
        sum.update([Int32(encoding.ids.count)])
        sum.update(encoding.ids)
        tokens += encoding.ids.count
      }
      let digest = Digest(texts: texts.count, tokens: tokens, sha256: sum.finish())
      #expect(digest == (Self.isWhole ? golden.whole : golden.beginning), "\(golden.tokenizer) of \(golden.source)")
    }
  }
}
