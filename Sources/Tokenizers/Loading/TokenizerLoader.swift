public import Foundation

/// Reads a tokenizer from the files that a model comes with.
public enum TokenizerLoader {
  /// Files of tokenizers that no model of the Hub has: llama2.c's and CLIP's own.
  public static let ownFiles = Llama2CFile.names + [CLIPFile.name]

  /// The tokenizer of a model's folder: `tokenizer.json` if there, else what came before it; or that of one file.
  ///
  /// `tokenizer.json` may hold a truncation and a padding of its own (sentence encoders often do). They are left
  /// aside: `encode` cuts only at the `maxTokens` it is given and never pads.
  ///
  /// The older files are `vocab.json` with `merges.txt` (GPT-2, RoBERTa, Qwen 2), a SentencePiece model
  /// (`spiece.model`, `tokenizer.model`, `sentencepiece.bpe.model`: T5, Llama, XLM-RoBERTa), and `vocab.txt` (BERT,
  /// uncased unless `tokenizer_config.json` says otherwise), a tokenizer of llama2.c (`tokenizer.bin`, `tok512.bin`,
  /// `tok4096.bin`), and CLIP's `bpe_simple_vocab_16e6.txt.gz`. What they do not say is taken from
  /// `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and the `model_type` of `config.json`, where
  /// present: special tokens, others beside the vocabulary, the family, what is added to a text.
  ///
  /// A file may also be named by itself; files beside it then say what they say in a folder.
  /// - Throws: ``TokenizerError``.
  public static func load(from url: URL) throws -> any Tokenizer {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    return isThere && !isFolder.boolValue ? try load(file: url) : try load(folder: url)
  }

  private static func load(folder directory: URL) throws -> PipelineTokenizer {
    func existing(_ name: String) -> URL? {
      let url = directory.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
    let settings = try TokenizerSettings(in: directory)
    if let file = existing("tokenizer.json") { return try TokenizerFile(contentsOf: file).tokenizer(settings) }
    if let vocabulary = existing("vocab.json"), let merges = existing("merges.txt") {
      return try ByteLevelFiles(vocabulary: vocabulary, merges: merges).tokenizer(settings)
    }
    if let file = SentencePieceFile.names.lazy.compactMap(existing).first {
      return try SentencePieceFile(contentsOf: file).tokenizer(settings)
    }
    if let file = existing("vocab.txt") { return try VocabularyFile(contentsOf: file).tokenizer(settings) }
    if let file = Llama2CFile.names.lazy.compactMap(existing).first {
      return try Llama2CFile(contentsOf: file).tokenizer(settings)
    }
    if let file = existing(CLIPFile.name) { return try CLIPFile(contentsOf: file).tokenizer(settings) }
    throw TokenizerError.noTokenizer(directory: directory.path)
  }

  private static func load(file: URL) throws -> PipelineTokenizer {
    let folder = file.deletingLastPathComponent()
    let settings = try TokenizerSettings(in: folder)
    switch (file.lastPathComponent, file.pathExtension) {
    case ("vocab.json", _), ("merges.txt", _):
      return try ByteLevelFiles(
        vocabulary: folder.appendingPathComponent("vocab.json"), merges: folder.appendingPathComponent("merges.txt")
      ).tokenizer(settings)
    case (_, "json"): return try TokenizerFile(contentsOf: file).tokenizer(settings)
    case (_, "model"): return try SentencePieceFile(contentsOf: file).tokenizer(settings)
    case (_, "txt"): return try VocabularyFile(contentsOf: file).tokenizer(settings)
    case (_, "bin"): return try Llama2CFile(contentsOf: file).tokenizer(settings)
    case (_, "gz"): return try CLIPFile(contentsOf: file).tokenizer(settings)
    default: throw TokenizerError.unknownFile(file: file.path)
    }
  }
}
