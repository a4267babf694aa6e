import Foundation
import Testing
import Tokenizers

/// The full sentence of every error of loading.
struct TokenizerErrorTests {
  /// The sentence that loading the files ends with, the folder's path written as `DIR`.
  private static func sentence(_ files: [String: String]) throws -> String {
    try Fixtures.withFolder(files) { folder in
      do {
        _ = try TokenizerLoader.load(from: folder)
        return "no error"
      } catch let error as TokenizerError {
        #expect(error.localizedDescription == error.description)
        return error.description.replacingOccurrences(of: folder.path, with: "DIR")
      }
    }
  }

  private static func sentence(replacing old: String, by new: String) throws -> String {
    let json = Tiny.json([(old, new)])
    #expect(json != Tiny.json(), "nothing to replace")
    return try sentence(["tokenizer.json": json])
  }

  @Test func saysWhichFilesWouldDo() throws {
    #expect(
      try Self.sentence([:]) == """
        No tokenizer in DIR: it holds neither tokenizer.json nor vocab.txt, nor vocab.json with merges.txt, nor a \
        SentencePiece model (spiece.model, tokenizer.model, sentencepiece.bpe.model, sentencepiece.model), a tokenizer \
        of llama2.c (tokenizer.bin, tok512.bin, tok4096.bin) or CLIP's bpe_simple_vocab_16e6.txt.gz. Copy one of them \
        there from the model's source, or name the folder that has it.
        """)
  }

  @Test func everyOwnFileIsLookedFor() throws {
    for name in TokenizerLoader.ownFiles {
      #expect(try Self.sentence([name: "x"]).hasPrefix("DIR/\(name): "))
    }
  }

  @Test func saysWhyAFileCannotBeRead() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizers-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("vocab.txt"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect {
      try TokenizerLoader.load(from: folder)
    } throws: {
      guard case .unreadable(let file, _) = $0 as? TokenizerError else { return false }
      return file == folder.appendingPathComponent("vocab.txt").path
    }
    #expect(
      TokenizerError.unreadable(file: "m/vocab.txt", reason: "it is not UTF-8 text").description == """
        Cannot read m/vocab.txt: it is not UTF-8 text. Check that the file is there, is UTF-8 text and may be read.
        """)
  }

  @Test func saysWhereAFileIsNotJSON() throws {
    #expect(
      try Self.sentence(["tokenizer.json": "{\n  \"version\": \"1.0\",\n  \"model\": {\"type\": }\n}"]) == """
        DIR/tokenizer.json:3: not JSON at byte 42, where a value should be. The file is damaged or cut short: fetch it \
        again from the model's source.
        """)
  }

  @Test func saysWhichValueIsMissing() throws {
    #expect(
      try Self.sentence(replacing: #""clean_text": true, "#, by: "") == """
        DIR/tokenizer.json: normalizer.clean_text is missing and should be given. Fetch the file again, or write it \
        anew with huggingface/tokenizers.
        """)
  }

  @Test func saysWhichValueHasTheWrongType() throws {
    #expect(
      try Self.sentence(replacing: #""lstrip": true"#, by: #""lstrip": 1"#) == """
        DIR/tokenizer.json: added_tokens[0].lstrip is 1 and should be true or false. Fetch the file again, or write it \
        anew with huggingface/tokenizers.
        """)
    #expect(
      try Self.sentence(replacing: #""cat": 6"#, by: #""cat": -6"#) == """
        DIR/tokenizer.json: model.vocab["cat"] is -6 and should be a whole number from 0 to 16777215. Fetch the file \
        again, or write it anew with huggingface/tokenizers.
        """)
  }

  @Test(arguments: [Int(Int32.max), 1 << 24]) func saysWhichIDIsTooLarge(_ id: Int) throws {
    #expect(
      try Self.sentence(replacing: #""cat": 6"#, by: #""cat": \#(id)"#) == """
        DIR/tokenizer.json: model.vocab["cat"] is \(id) and should be a whole number from 0 to 16777215. Fetch the file \
        again, or write it anew with huggingface/tokenizers.
        """)
    let listed = #"{"added_tokens_decoder": {"-1": {"content": "x"}}}"#
    #expect(
      try Self.sentence(["vocab.txt": Tiny.vocabulary, "tokenizer_config.json": listed]) == """
        DIR/tokenizer_config.json: added_tokens_decoder["-1"]: "-1" is no id of a token. Correct the file, or fetch it \
        again from the model's source.
        """)
  }

  @Test(arguments: [
    (
      "BertNormalizer", "ByteLevel", "normalizer.type",
      """
      BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents
      """
    ),
    (
      "BertPreTokenizer", "UnicodeScripts", "pre_tokenizer.type",
      """
      BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit
      """
    ),
    (
      "TemplateProcessing", "PostProcessing", "post_processor.type",
      "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing"
    ),
    (
      #""decoder": {"type": "WordPiece""#, #""decoder": {"type": "CTC""#, "decoder.type",
      "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece"
    ),
    (
      #""WordPiece", "unk_token""#, #""WordLevel", "unk_token""#, "model.type",
      "BPE, Unigram, WordPiece"
    ),
  ])
  func namesAnUnsupportedComponent(old: String, new: String, path: String, supported: String) throws {
    let found = new.contains("CTC") ? "CTC" : new.contains("WordLevel") ? "WordLevel" : new
    #expect(
      try Self.sentence(replacing: old, by: new) == """
        DIR/tokenizer.json: \(path) is "\(found)", which is not supported. Supported there: \(supported). Choose a \
        model that uses one of these.
        """)
  }

  @Test func namesAnUnsupportedRegularExpression() throws {
    let split = #"{"type": "Split", "pattern": {"Regex": "a+"}, "behavior": "Isolated", "invert": false}"#
    let sentence = try Self.sentence(replacing: #"{"type": "BertPreTokenizer"}"#, by: split)
    #expect(
      sentence.hasPrefix(
        #"DIR/tokenizer.json: pre_tokenizer.pattern.Regex is "a+", which is not supported. Supported there:  {2,}, "#))
  }

  @Test(arguments: [
    (
      #""unk_token": "[UNK]""#, #""unk_token": "<unk>""#,
      #"model.unk_token: the vocabulary has no token "<unk>""#
    ),
    (
      #""id": 20, "content""#, #""id": 7, "content""#,
      #"added_tokens[1].id: "New York" has the id 7, but its place in the vocabulary is 20"#
    ),
    (
      #"{"SpecialToken": {"id": "[SEP]""#, #"{"SpecialToken": {"id": "[END]""#,
      #"post_processor.pair[1].SpecialToken.id: post_processor.special_tokens has no "[END]""#
    ),
    (
      #"{"Sequence": {"id": "A", "type_id": 0}}"#, #"{"Sequence": {"id": "B", "type_id": 0}}"#,
      "post_processor.single: the template for one text uses a second one, B"
    ),
  ])
  func saysWhichValuesContradictEachOther(old: String, new: String, problem: String) throws {
    #expect(
      try Self.sentence(replacing: old, by: new)
        == "DIR/tokenizer.json: \(problem). Correct the file, or fetch it again from the model's source.")
  }

  @Test func saysWhichTokenAVocabularyLacks() throws {
    #expect(
      try Self.sentence(["vocab.txt": "[UNK]\n[CLS]\ncat\n"]) == """
        DIR/vocab.txt: the vocabulary: it has no line "[SEP]", which BERT needs. Correct the file, or fetch it again \
        from the model's source.
        """)
  }

  @Test func saysWhichMergeTheVocabularyCannotMake() throws {
    let files = ["vocab.json": #"{"a": 0, "b": 1, "ab": 2}"#, "merges.txt": "#version: 0.2\na b\nb a\n"]
    #expect(
      try Self.sentence(files) == """
        DIR/merges.txt:3: "b a": it should be two tokens of vocab.json whose whole is one too. Correct the file, or \
        fetch it again from the model's source.
        """)
  }

  @Test func saysWhereAFileIsNoSentencePieceModel() throws {
    #expect(
      try Self.sentence(["spiece.model": "version https://git-lfs.github.com"]) == """
        DIR/spiece.model: not a SentencePiece model at byte 0. The file is damaged or cut short, or a text that stands \
        for one: fetch it again from the model's source.
        """)
  }
}
