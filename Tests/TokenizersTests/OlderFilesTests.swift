import Foundation
import Testing

@testable import Tokenizers

/// Folders without a `tokenizer.json` whose tokens are described beside the vocabulary; ids and texts are those of
/// transformers 5.23.0, `RobertaTokenizer` and `BertTokenizer`, of the same files.
struct OlderFilesTests {
  private static let roberta = [
    "vocab.json":
      #"{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"b":5,"\u0120":6,"\u0120a":7,"\u0120b":8,"ab":9,"<mask>":10}"#,
    "merges.txt": "#version: 0.2\n\u{120} a\n\u{120} b\na b\n",
  ]
  private static let mask =
    #"{"content": "<mask>", "lstrip": true, "rstrip": false, "normalized": false, "single_word": false}"#

  private static func ids(_ beside: [String: String], _ texts: [String]) throws -> [[Int32]] {
    let tokenizer = try Fixtures.tokenizer(roberta.merging(beside) { $1 })
    return texts.map { tokenizer.encode($0).ids }
  }

  @Test func aRoleWithoutMoreIsFoundAsItStands() throws {
    let texts = ["a <mask> b", "ab  <mask>", "a<mask>a"],
      plain: [[Int32]] = [
        [0, 4, 6, 10, 8, 2], [0, 9, 6, 6, 10, 2], [0, 4, 10, 4, 2],
      ]
    #expect(try Self.ids([:], texts) == plain)
    // Of the two files, `special_tokens_map.json` has the last word; `added_tokens.json` has no more than an id.
    #expect(
      try Self.ids(
        [
          "tokenizer_config.json": #"{"mask_token": \#(Self.mask)}"#,
          "special_tokens_map.json": #"{"mask_token": "<mask>"}"#,
        ], texts) == plain)
    #expect(
      try Self.ids(
        ["special_tokens_map.json": #"{"mask_token": \#(Self.mask)}"#, "added_tokens.json": #"{"<mask>": 10}"#], texts)
        == plain)
  }

  @Test(arguments: [
    ["special_tokens_map.json": #"{"mask_token": \#(mask)}"#], ["tokenizer_config.json": #"{"mask_token": \#(mask)}"#],
    ["tokenizer_config.json": #"{"mask_token": "<mask>"}"#, "special_tokens_map.json": #"{"mask_token": \#(mask)}"#],
  ])
  func aMaskTakesTheBlanksBeforeIt(_ beside: [String: String]) throws {
    #expect(
      try Self.ids(beside, ["a <mask> b", "ab  <mask>", "a<mask>a"])
        == [[0, 4, 10, 8, 2], [0, 9, 10, 2], [0, 4, 10, 4, 2]])
  }

  @Test func aRoleMayBeASingleWordAndTakeWhatFollows() throws {
    let mask = #"{"content": "<mask>", "rstrip": true, "lstrip": false, "normalized": true, "single_word": true}"#
    #expect(
      try Self.ids(["special_tokens_map.json": #"{"mask_token": \#(mask)}"#], ["a <mask> b", "ab  <mask>", "a<mask>a"])
        == [[0, 4, 6, 10, 5, 2], [0, 9, 6, 6, 10, 2], [0, 4, 4, 4, 2]])
  }

  @Test func anAddedTokenMayHaveARole() throws {
    let beside = [
      "special_tokens_map.json": #"{"mask_token": \#(Self.mask), "sep_token": "<sep>"}"#,
      "added_tokens.json": #"{"<sep>": 11}"#,
    ]
    #expect(
      try Self.ids(beside, ["a <mask> b", "a <sep> b"]) == [[0, 4, 10, 8, 11], [0, 4, 6, 11, 8, 11]])
    let tokenizer = try Fixtures.tokenizer(Self.roberta.merging(beside) { $1 })
    #expect(tokenizer.specialTokens.sep == 11 && tokenizer.vocabularySize == 12)
    #expect(tokenizer.decode([0, 4, 6, 11, 8, 11], skipSpecialTokens: true) == "a  b")
  }

  private static let bert = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\nun\n##aff\n##able\n"
  private static let added = #"{"<ENT>": 10, "<tag>": 11, "New York": 12, "[X]": 13}"#
  private static let texts = [
    "the <ENT> cat <ent>", "the [MASK] cat", "Xthe <tag>cat", "New York cat", "the [X] cat",
  ]

  @Test func aVocabularyOfLinesHasAddedTokens() throws {
    let tokenizer = try Fixtures.tokenizer(["vocab.txt": Self.bert, "added_tokens.json": Self.added])
    #expect(
      Self.texts.map { tokenizer.encode($0).ids } == [
        [2, 5, 10, 6, 10, 3], [2, 5, 4, 6, 3], [2, 1, 11, 6, 3], [2, 12, 6, 3], [2, 5, 13, 6, 3],
      ])
    #expect(tokenizer.decode([2, 5, 13, 6, 3], skipSpecialTokens: true) == "the [x] cat")
    #expect(tokenizer.vocabularySize == 14)
  }

  @Test(arguments: [
    ["tokenizer_config.json": #"{"additional_special_tokens": ["[X]"]}"#],
    ["special_tokens_map.json": #"{"extra_special_tokens": ["[X]"]}"#],
  ])
  func addedTokensMayBeSpecial(_ beside: [String: String]) throws {
    let files = ["vocab.txt": Self.bert, "added_tokens.json": Self.added].merging(beside) { $1 }
    let tokenizer = try Fixtures.tokenizer(files)
    #expect(tokenizer.encode("the [X] cat").ids == [2, 5, 13, 6, 3])
    #expect(tokenizer.decode([2, 5, 13, 6, 3], skipSpecialTokens: true) == "the cat")
  }

  @Test func anAddedTokenTakesTheRoleOfTheMask() throws {
    let tokenizer = try Fixtures.tokenizer([
      "vocab.txt": Self.bert, "added_tokens.json": Self.added, "special_tokens_map.json": #"{"mask_token": "[X]"}"#,
    ])
    #expect(tokenizer.encode("the [MASK] cat").ids == [2, 5, 1, 1, 1, 6, 3])
    #expect(tokenizer.encode("the [X] cat").ids == [2, 5, 13, 6, 3] && tokenizer.specialTokens.mask == 13)
  }

  @Test func whereTheTokensAreListedTheOlderFilesDoNotCount() throws {
    let listed =
      #"{"added_tokens_decoder": {"10": {"content": "zz", "lstrip": false, "rstrip": false, "normalized": false, "single_word": false, "special": true}}}"#
    let tokenizer = try Fixtures.tokenizer([
      "vocab.txt": Self.bert, "added_tokens.json": Self.added, "tokenizer_config.json": listed,
    ])
    #expect(
      Self.texts.map { tokenizer.encode($0).ids } == [
        [2, 5, 1, 1, 1, 6, 1, 1, 1, 3], [2, 5, 4, 6, 3], [2, 1, 1, 1, 1, 6, 3], [2, 1, 1, 6, 3], [2, 5, 1, 1, 1, 6, 3],
      ])
  }

  /// `T5Tokenizer` of transformers 5.23.0.
  @Test(.enabled(if: Fixtures.exists(Fixtures.data.appendingPathComponent("tokenizers")), "needs the data of JAY_DATA"))
  func aSentencePieceModelHasAddedTokens() throws {
    try Fixtures.withFolder(["added_tokens.json": #"{"<new>": 32100}"#]) { folder in
      try FileManager.default.createSymbolicLink(
        at: folder.appendingPathComponent("spiece.model"),
        withDestinationURL: Fixtures.data.appendingPathComponent("tokenizers/t5/spiece.model"))
      let tokenizer = try TokenizerLoader.load(from: folder)
      #expect(tokenizer.encode("the cat <new> ran").ids == [8, 1712, 32100, 4037, 1])
      #expect(tokenizer.encode("a <New>b").ids == [3, 9, 3, 2, 6861, 3155, 115, 1])
    }
  }

  /// The assistant's tokens are those whose bytes it wrote, blanks alone too.
  @Test func tokensOfBlanksBelongToWhoWroteThem() throws {
    let files = Self.roberta.merging(["added_tokens.json": #"{"<|im_start|>": 11, "<|im_end|>": 12}"#]) { $1 }
    try Fixtures.withFolder(files) { folder in
      let tokenizer = try TokenizerLoader.load(from: folder)
      let template = try #require(try ChatTemplate(family: "chatml", in: folder))
      let chat = try template.render([ChatMessage(.user, "b   a"), ChatMessage(.assistant, "a   b")])
      func written(_ read: (encoding: Encoding, spans: [TextSpan?])) -> [Int32] {
        zip(read.encoding.ids, read.spans).compactMap { id, span in
          span.flatMap { span in chat.answers.contains { $0.overlaps(span.utf8) } ? id : nil }
        }
      }
      #expect(written(tokenizer.encodeWithWholeSpans(chat.text)) == [4, 6, 6, 8, 12])
      #expect(written(tokenizer.encodeWithSpans(chat.text)) == [4, 8, 12], "blanks have no place of their own there")
      let read = tokenizer.encodeWithWholeSpans("a   b")
      #expect(read.encoding == tokenizer.encode("a   b"))
      #expect(read.spans.map(\.?.utf8) == [nil, 0..<1, 1..<2, 2..<3, 3..<5, nil])
    }
  }
}
