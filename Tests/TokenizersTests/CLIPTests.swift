import Foundation
import Testing

@testable import Tokenizers

/// What holds for CLIP's tokenizer beyond `FamilyTests`, on a few merges.
struct CLIPTests {
  private static let vocabulary = #"""
    {"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "ab</w>": 4, "!</w>": 5, "<|startoftext|>": 6, "<|endoftext|>": 7}
    """#
  private static let files = ["vocab.json": vocabulary, "merges.txt": "#version: 0.2\na b</w>\n"]

  @Test(arguments: ["{}", #"{"tokenizer_class": "CLIPTokenizer"}"#])
  func isReadFromVocabularyAndMerges(settings: String) throws {
    var files = Self.files
    files["tokenizer_config.json"] = settings
    let tokenizer = try Fixtures.tokenizer(files)
    #expect(tokenizer.encode("AB \n b!").ids == [6, 4, 3, 5, 7])
    #expect(tokenizer.encode("a", pair: "b").ids == [6, 2, 7, 7, 3, 7])
    #expect(tokenizer.decode([6, 4, 3, 5, 7], skipSpecialTokens: true) == "ab b !")
    #expect(tokenizer.decode([6, 4, 3, 5, 7], skipSpecialTokens: false) == "<|startoftext|>ab b ! <|endoftext|>")
    #expect(tokenizer.specialTokens == SpecialTokens(pad: 7, cls: 6, sep: 7, unk: 7, bos: 6, eos: 7))
  }

  @Test(
    .enabled(
      if: Fixtures.exists(Fixtures.data.appendingPathComponent("tokenizers/clip")),
      "needs the data in the folder of JAY_DATA"))
  func bothFormsKnowSizeAndSpecialTokens() throws {
    let family = try #require(Family.all.first { $0.name == "clip" })
    var special = SpecialTokens(pad: 49407, cls: 49406, sep: 49407, unk: 49407, bos: 49406, eos: 49407)
    let older = try family.fromOlderFiles()
    #expect(older.specialTokens == special && older.vocabularySize == 49408)
    special.pad = nil
    let file = try family.fromTokenizerFile()
    #expect(file.specialTokens == special && file.vocabularySize == 49408)
  }

  /// A folder whose files say that the model is another one.
  @Test func anotherFamilyKeepsItsOwnRules() throws {
    var files = Self.files
    files["config.json"] = #"{"model_type": "gpt2"}"#
    #expect(try Fixtures.tokenizer(files).encode("ab").ids == [0, 1])
  }

  /// Runs `body` with the packed form of a text.
  private static func withPacked<T>(_ text: String, _ body: (URL) throws -> T) throws -> T {
    try Fixtures.withFolder(["bpe_simple_vocab_16e6.txt": text]) { folder in
      let gzip = Process()
      gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      gzip.arguments = ["gzip", folder.appendingPathComponent("bpe_simple_vocab_16e6.txt").path]
      try gzip.run()
      gzip.waitUntilExit()
      return try body(folder.appendingPathComponent(CLIPFile.name))
    }
  }

  @Test func theVocabularyFollowsFromTheMerges() throws {
    try Self.withPacked("\"version\"\na b</w>\nc ab</w>\n") { file in
      let tokenizer = try TokenizerLoader.load(from: file)
      #expect(tokenizer.vocabularySize == 516)
      // "!" is the first character; hidden bytes have the last ones.
      #expect(tokenizer.encode("! cab ab").ids == [514, 256, 513, 512, 515])
      #expect(try TokenizerLoader.load(from: file.deletingLastPathComponent()).vocabularySize == 516)
    }
  }

  private static func sentence(_ file: URL) -> String {
    do {
      _ = try TokenizerLoader.load(from: file)
      return "no error"
    } catch {
      return "\(error)".replacingOccurrences(of: file.deletingLastPathComponent().path, with: "DIR")
    }
  }

  @Test func errorsSayWhatToDo() throws {
    try Self.withPacked("version\na b\nabc d\n") { file in
      #expect(
        Self.sentence(file) == """
          DIR/bpe_simple_vocab_16e6.txt.gz:3: "abc d": it should be two tokens made by lines before it. Correct the \
          file, or fetch it again from the model's source.
          """)
      let packed = try Data(contentsOf: file)
      for damaged in [packed.dropLast(9), Data("version\na b\n".utf8)] {
        try damaged.write(to: file)
        #expect(
          Self.sentence(file) == """
            DIR/bpe_simple_vocab_16e6.txt.gz: the archive: it is not gzip, or damaged or cut short. Correct the file, or \
            fetch it again from the model's source.
            """)
      }
    }
    try Fixtures.withFolder(["vocab.json": #"{"!</w>": 0}"#, "merges.txt": "", "weights.pt": ""]) { folder in
      #expect(
        Self.sentence(folder.appendingPathComponent("vocab.json")) == """
          DIR/vocab.json: the vocabulary: it has no "<|startoftext|>", which CLIP needs. Correct the file, or fetch it \
          again from the model's source.
          """)
      #expect(
        Self.sentence(folder.appendingPathComponent("weights.pt")) == """
          DIR/weights.pt: its name is none of a tokenizer's. Name the folder it is in, or one of tokenizer.json, \
          vocab.json, vocab.txt, a SentencePiece model (.model), a tokenizer of llama2.c (.bin) or CLIP's \
          bpe_simple_vocab_16e6.txt.gz.
          """)
    }
  }

  /// Each kind of file by itself, as its folder would give it.
  @Test func aFileIsReadAsItsFolder() throws {
    try Fixtures.withFolder(["vocab.txt": Tiny.vocabulary, "tokenizer.json": Tiny.json()]) { folder in
      let plain = try TokenizerLoader.load(from: folder.appendingPathComponent("vocab.txt"))
      #expect(plain.encode("the cat").ids == [2, 5, 6, 3])
      let whole = try TokenizerLoader.load(from: folder.appendingPathComponent("tokenizer.json"))
      #expect(whole.encode("cat").ids == [2, 5, 6])
    }
    let settings =
      #"{"added_tokens_decoder": {"90": {"content": "<ent>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}}}"#
    try Fixtures.withFolder(["vocab.txt": Tiny.vocabulary, "tokenizer_config.json": settings]) { folder in
      let added = try TokenizerLoader.load(from: folder)
      #expect(added.encode("the <ent> cat").ids == [2, 5, 90, 6, 3])
    }
    try Fixtures.withFolder(Self.files) { folder in
      let merges = try TokenizerLoader.load(from: folder.appendingPathComponent("merges.txt"))
      #expect(merges.encode("ab").ids == [6, 4, 7])
    }
  }
}
