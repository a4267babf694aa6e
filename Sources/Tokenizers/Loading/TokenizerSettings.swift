import Foundation

/// What `tokenizer_config.json` and `special_tokens_map.json` say; BERT's defaults where they are silent.
struct TokenizerSettings {
  var cls: String? = "[CLS]"
  var sep: String? = "[SEP]"
  var pad: String? = "[PAD]"
  var unk: String? = "[UNK]"
  var mask: String? = "[MASK]"
  var normalizer = BertNormalizer.Options()

  /// Reads the files that are there; `tokenizer_config.json` has the last word.
  init(in directory: URL) throws {
    for name in ["special_tokens_map.json", "tokenizer_config.json"] {
      let url = directory.appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      let file = try JSONField(contentsOf: url)
      cls = try TokenizerSettings.token(file, "cls_token") ?? cls
      sep = try TokenizerSettings.token(file, "sep_token") ?? sep
      pad = try TokenizerSettings.token(file, "pad_token") ?? pad
      unk = try TokenizerSettings.token(file, "unk_token") ?? unk
      mask = try TokenizerSettings.token(file, "mask_token") ?? mask
      normalizer.lowercases = try file.optional("do_lower_case")?.bool() ?? normalizer.lowercases
      normalizer.spacesChinese = try file.optional("tokenize_chinese_chars")?.bool() ?? normalizer.spacesChinese
      normalizer.stripsAccents = try file.optional("strip_accents")?.bool() ?? normalizer.lowercases
    }
  }

  /// A token is written as its text, or as an object with its text under `content`.
  private static func token(_ file: JSONField, _ name: String) throws -> String? {
    guard let field = try file.optional(name) else { return nil }
    if case .object = field.value { return try field.member("content").string() }
    return try field.string()
  }

  /// The ids of the tokens, as far as `id` knows them.
  func specialTokens(_ id: (String) -> Int32?) -> SpecialTokens {
    SpecialTokens(
      pad: pad.flatMap(id), cls: cls.flatMap(id), sep: sep.flatMap(id), unk: unk.flatMap(id), mask: mask.flatMap(id))
  }
}
