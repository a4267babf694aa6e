public import Foundation

/// Reads a tokenizer from the files that a model comes with.
public enum TokenizerLoader {
  /// The tokenizer of a model's folder: `tokenizer.json` if there, else what came before it.
  ///
  /// `tokenizer.json` may hold a truncation and a padding of its own (sentence encoders often do). They are left
  /// aside: `encode` cuts only at the `maxTokens` it is given and never pads.
  ///
  /// The older files are `vocab.json` with `merges.txt` (GPT-2, RoBERTa, Qwen 2), a SentencePiece model
  /// (`spiece.model`, `tokenizer.model`, `sentencepiece.bpe.model`: T5, Llama, XLM-RoBERTa), and `vocab.txt` (BERT,
  /// uncased unless `tokenizer_config.json` says otherwise). What they do not say is taken from
  /// `tokenizer_config.json`, `special_tokens_map.json` and the `model_type` of `config.json`, where present: names
  /// of special tokens, the family, what is added to a text.
  public static func load(from directory: URL) throws -> any Tokenizer {
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
    throw TokenizerError.noTokenizer(directory: directory.path)
  }
}
