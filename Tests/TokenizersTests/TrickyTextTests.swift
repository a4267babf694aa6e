import Foundation
import Testing
import Tokenizers

/// Ids and decoded text equal to huggingface/tokenizers on texts chosen to break.
///
/// Written by `Tools/golden/tokenizers.py`.
@Suite(.enabled(if: Fixtures.exists(Fixtures.minilm), "needs MiniLM's folder at JAY_MODELS/minilm or .models/minilm"))
struct TrickyTextTests {
  struct Golden: Decodable { let cases: [Case] }

  struct Case: Decodable {
    let tokenizer, text: String
    let pair: String?
    let maxTokens: Int?
    let ids: [Int32]
    let segments: [Int32]?
    let decoded, decodedWhole: String?
  }

  private static func load(_ settings: String) throws -> any Tokenizer {
    try Fixtures.tokenizer([
      "vocab.txt": String(contentsOf: Fixtures.minilm.appendingPathComponent("vocab.txt"), encoding: .utf8),
      "tokenizer_config.json": settings,
    ])
  }

  private static func tokenizers() throws -> [String: any Tokenizer] {
    try [
      "minilm": TokenizerLoader.load(from: Fixtures.minilm),
      "cased": load(#"{"do_lower_case": false}"#),
      "accents": load(#"{"strip_accents": false}"#),
      "stripped": load(#"{"strip_accents": true, "do_lower_case": false, "tokenize_chinese_chars": false}"#),
    ]
  }

  @Test func idsSegmentsAndDecodedTextEqualTheReference() throws {
    let tokenizers = try TrickyTextTests.tokenizers()
    let cases = try Fixtures.golden("tricky.json", as: Golden.self).cases
    #expect(cases.count > 500)
    for golden in cases {
      let tokenizer = try #require(tokenizers[golden.tokenizer])
      let encoding = tokenizer.encode(golden.text, pair: golden.pair, maxTokens: golden.maxTokens)
      let segments = golden.segments ?? golden.ids.map { _ in 0 }
      #expect(encoding == Encoding(ids: golden.ids, segments: segments), "\(golden)")
      if let decoded = golden.decoded, let whole = golden.decodedWhole {
        // Swift compares strings up to canonical equivalence; scalars are exact.
        let skipped = tokenizer.decode(golden.ids, skipSpecialTokens: true)
        #expect(Array(skipped.unicodeScalars) == Array(decoded.unicodeScalars), "\(golden)")
        let kept = tokenizer.decode(golden.ids, skipSpecialTokens: false)
        #expect(Array(kept.unicodeScalars) == Array(whole.unicodeScalars), "\(golden)")
      }
    }
  }

  @Test func knowsSizeAndSpecialTokens() throws {
    for (name, tokenizer) in try TrickyTextTests.tokenizers() {
      #expect(tokenizer.vocabularySize == 30522, "\(name)")
      #expect(tokenizer.specialTokens == SpecialTokens(pad: 0, cls: 101, sep: 102, unk: 100, mask: 103), "\(name)")
    }
  }
}
