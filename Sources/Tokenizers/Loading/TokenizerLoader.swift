public import Foundation

/// Reads a tokenizer from the files that a model comes with.
public enum TokenizerLoader {
  /// The tokenizer of a model's folder: `tokenizer.json` if there, else `vocab.txt`.
  ///
  /// `tokenizer.json` may hold a truncation and a padding of its own (sentence encoders often do). They are left
  /// aside: `encode` cuts only at the `maxTokens` it is given and never pads.
  ///
  /// `vocab.txt` is read as BERT's, uncased unless `tokenizer_config.json` says otherwise (`do_lower_case`,
  /// `strip_accents`, `tokenize_chinese_chars`). In both cases `tokenizer_config.json` and
  /// `special_tokens_map.json`, where present, name the special tokens.
  public static func load(from directory: URL) throws -> any Tokenizer {
    let settings = try TokenizerSettings(in: directory)
    let file = directory.appendingPathComponent("tokenizer.json")
    if FileManager.default.fileExists(atPath: file.path) {
      return try TokenizerFile(contentsOf: file).tokenizer(settings)
    }
    let vocabulary = directory.appendingPathComponent("vocab.txt")
    if FileManager.default.fileExists(atPath: vocabulary.path) {
      return try VocabularyFile(contentsOf: vocabulary).tokenizer(settings)
    }
    throw TokenizerError.noTokenizer(directory: directory.path)
  }
}
