import Foundation
import Testing
import Tokenizers

/// What holds for any tokenizer, on one of a few words.
struct TokenizerTests {
  private static func plain(_ settings: String = "{}") throws -> any Tokenizer {
    try Fixtures.tokenizer(["vocab.txt": Tiny.vocabulary, "tokenizer_config.json": settings])
  }

  private static func fromJSON(_ changes: (String, String)...) throws -> any Tokenizer {
    try Fixtures.tokenizer(["tokenizer.json": Tiny.json(changes)])
  }

  @Test func splitsWordsIntoTheLongestPieces() throws {
    #expect(try Self.plain().encode("The unaffable cat.").ids == [2, 5, 7, 8, 9, 6, 10, 3])
  }

  @Test func givesTheUnknownTokenForAWordItCannotSpell() throws {
    #expect(try Self.plain().encode("cat cats unaff ##able").ids == [2, 6, 1, 7, 8, 1, 1, 1, 3])
  }

  @Test func marksTheSecondTextOfAPair() throws {
    let encoding = try Self.plain().encode("the cat", pair: "un")
    #expect(encoding == Encoding(ids: [2, 5, 6, 3, 7, 3], segments: [0, 0, 0, 0, 1, 1]))
  }

  @Test func readsATokenOfTheVocabularyInTheText() throws {
    #expect(try Self.plain().encode("the[SEP]cat [sep]").ids == [2, 5, 3, 6, 1, 1, 1, 3])
  }

  @Test func givesOnlySpecialTokensForAnEmptyText() throws {
    #expect(try Self.plain().encode("").ids == [2, 3])
    #expect(try Self.plain().encode("", pair: "").ids == [2, 3, 3])
  }

  @Test func tellsCanonicallyEquivalentWordsApart() throws {
    let tokenizer = try Self.plain(#"{"strip_accents": false}"#)
    #expect(tokenizer.vocabularySize == 20)
    #expect(tokenizer.encode("e\u{301} \u{E9}").ids == [2, 16, 17, 3])
  }

  @Test(arguments: [
    (3, [2, 3, 3]), (4, [2, 3, 18, 3]), (5, [2, 18, 3, 18, 3]), (6, [2, 18, 3, 18, 19, 3]),
    (7, [2, 18, 3, 18, 19, 18, 3]), (100, [2, 18, 3, 18, 19, 18, 19, 3]),
  ])
  func cutsTheLongerOfAPairFirst(maxTokens: Int, ids: [Int32]) throws {
    #expect(try Self.plain().encode("a", pair: "a b a b", maxTokens: maxTokens).ids == ids)
  }

  @Test func keepsOrderWhenEncodingMany() throws {
    let tokenizer = try Self.plain()
    let texts = (0..<500).map { (String(repeating: "a ", count: $0 % 7), $0 % 3 == 0 ? "b" : nil) }
    let expected = texts.map { tokenizer.encode($0.0, pair: $0.1, maxTokens: 6) }
    #expect(tokenizer.encodeAll(texts, maxTokens: 6) == expected)
    #expect(tokenizer.encodeAll([]).isEmpty)
  }

  @Test func decodesWithoutTheBlanksBeforePunctuation() throws {
    let tokenizer = try Self.plain()
    let ids = tokenizer.encode("the cat, unaffable.").ids + [999]
    #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "the cat, unaffable.")
    #expect(tokenizer.decode(ids, skipSpecialTokens: false) == "[CLS] the cat, unaffable. [SEP]")
  }

  @Test func followsTheTemplateOfTheFile() throws {
    let tokenizer = try Self.fromJSON()
    #expect(tokenizer.encode("cat") == Encoding(ids: [2, 5, 6], segments: [0, 0, 0]))
    #expect(tokenizer.encode("a", pair: "b") == Encoding(ids: [19, 3, 18], segments: [3, 2, 1]))
  }

  @Test func followsBertProcessing() throws {
    let whole = Tiny.json()
    let start = try #require(whole.range(of: #"{"# + "\n" + #"    "type": "TemplateProcessing""#))
    let end = try #require(whole.range(of: #""decoder""#))
    let processor = #"{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, "#
    let json = whole.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: processor)
    let tokenizer = try Fixtures.tokenizer(["tokenizer.json": json])
    #expect(tokenizer.encode("a", pair: "b") == Encoding(ids: [2, 18, 3, 19, 3], segments: [0, 0, 0, 1, 1]))
  }

  @Test func leavesTruncationAndPaddingOfTheFileAside() throws {
    #expect(try Self.fromJSON().encode("a b a b a").ids == [2, 5, 18, 19, 18, 19, 18])
  }

  @Test func findsAddedTokensAsTheyAreDeclared() throws {
    let tokenizer = try Self.fromJSON()
    #expect(tokenizer.vocabularySize == 21)
    #expect(tokenizer.encode("a NEW YORK a New Yorks").ids == [2, 5, 18, 20, 18, 1, 1])
    #expect(tokenizer.encode("a   [MASK]").ids == [2, 5, 18, 4])
    #expect(tokenizer.decode([18, 20, 4], skipSpecialTokens: true) == "a new york")
  }

  @Test func givesUpOnWordsPastTheLimitOfTheFile() throws {
    #expect(try Self.fromJSON().encode("unaffaffa unaffaffaff").ids == [2, 5, 1, 1])
    let longer = try Self.fromJSON(("\"max_input_chars_per_word\": 10", "\"max_input_chars_per_word\": 11"))
    #expect(longer.encode("unaffaffaff").ids == [2, 5, 7, 8, 8, 8])
  }

  @Test func readsSpecialTokensFromTheConfiguration() throws {
    let tokenizer = try Fixtures.tokenizer([
      "tokenizer.json": Tiny.json(),
      "special_tokens_map.json": #"{"mask_token": {"content": "New York"}, "pad_token": "absent", "cls_token": null}"#,
    ])
    #expect(tokenizer.specialTokens == SpecialTokens(pad: nil, cls: 2, sep: 3, unk: 1, mask: 20))
  }
}
