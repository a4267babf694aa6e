import Foundation

/// Texts of the tokens with a role.
struct SpecialTokenNames {
  var pad: [String] = []
  var cls: [String] = []
  var sep: [String] = []
  var unk: [String] = []
  var mask: [String] = []
  var bos: [String] = []
  var eos: [String] = []

  /// What such tokens are usually called; the first that a vocabulary has counts.
  static let common = SpecialTokenNames(
    pad: ["[PAD]", "<pad>"], cls: ["[CLS]"], sep: ["[SEP]"], unk: ["[UNK]", "<unk>"], mask: ["[MASK]", "<mask>"],
    bos: ["<s>", "<|begin_of_text|>", "<|startoftext|>"], eos: ["</s>", "<|end_of_text|>", "<|endoftext|>"])

  static let bert = SpecialTokenNames(pad: ["[PAD]"], cls: ["[CLS]"], sep: ["[SEP]"], unk: ["[UNK]"], mask: ["[MASK]"])

  static let gpt2 = SpecialTokenNames(unk: ["<|endoftext|>"], bos: ["<|endoftext|>"], eos: ["<|endoftext|>"])

  /// RoBERTa and XLM-RoBERTa.
  static let roberta = SpecialTokenNames(
    pad: ["<pad>"], cls: ["<s>"], sep: ["</s>"], unk: ["<unk>"], mask: ["<mask>"], bos: ["<s>"], eos: ["</s>"])

  static let clip = SpecialTokenNames(
    pad: ["<|endoftext|>"], cls: ["<|startoftext|>"], sep: ["<|endoftext|>"], unk: ["<|endoftext|>"],
    bos: ["<|startoftext|>"], eos: ["<|endoftext|>"])

  static let t5 = SpecialTokenNames(pad: ["<pad>"], unk: ["<unk>"], eos: ["</s>"])

  static let llama = SpecialTokenNames(unk: ["<unk>"], bos: ["<s>"], eos: ["</s>"])
}

/// What the files beside a tokenizer say: `config.json`, `special_tokens_map.json`, `tokenizer_config.json`.
struct TokenizerSettings {
  /// The family of the model, such as `roberta`.
  private(set) var modelType: String?
  /// The class that transformers reads the tokenizer with, such as `RobertaTokenizerFast`.
  private(set) var tokenizerClass: String?
  private(set) var lowercases: Bool?
  private(set) var spacesChinese: Bool?
  private(set) var stripsAccents: Bool?
  private(set) var addsPrefixSpace: Bool?
  private(set) var addsBOS: Bool?
  private(set) var addsEOS: Bool?
  /// Whether a Llama writes a mark before every stretch of text, as it first did.
  private(set) var isLegacy: Bool?
  /// How many `<extra_id_…>` a T5 has.
  private(set) var extraIDs: Int32?
  /// Tokens beside those of the vocabulary.
  private(set) var addedTokens: [AddedTokens.Token] = []
  private var names: [String: String] = [:]

  /// Reads the files that are there; `tokenizer_config.json` has the last word.
  init(in directory: URL) throws {
    for name in ["config.json", "special_tokens_map.json", "tokenizer_config.json"] {
      let url = directory.appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: url.path) else { continue }
      let file = try JSONField(contentsOf: url)
      if name == "config.json" {
        modelType = try file.optional("model_type")?.string()
      } else {
        try read(file)
      }
    }
  }

  private mutating func read(_ file: JSONField) throws {
    for role in ["pad", "cls", "sep", "unk", "mask", "bos", "eos"] {
      if let name = try TokenizerSettings.token(file, role + "_token") { names[role] = name }
    }
    tokenizerClass = try file.optional("tokenizer_class")?.string() ?? tokenizerClass
    lowercases = try file.optional("do_lower_case")?.bool() ?? lowercases
    spacesChinese = try file.optional("tokenize_chinese_chars")?.bool() ?? spacesChinese
    stripsAccents = try file.optional("strip_accents")?.bool() ?? stripsAccents
    addsPrefixSpace = try file.optional("add_prefix_space")?.bool() ?? addsPrefixSpace
    addsBOS = try file.optional("add_bos_token")?.bool() ?? addsBOS
    addsEOS = try file.optional("add_eos_token")?.bool() ?? addsEOS
    isLegacy = try file.optional("legacy")?.bool() ?? isLegacy
    extraIDs = try file.optional("extra_ids")?.id() ?? extraIDs
    for (key, field) in try file.optional("added_tokens_decoder")?.members() ?? [] {
      guard let id = Int32(key) else { throw field.inconsistent("\"\(key)\" is no id of a token") }
      addedTokens.append(try AddedTokens.Token(field, content: try field.member("content").string(), id: id))
    }
  }

  /// A token is written as its text, or as an object with its text under `content`.
  private static func token(_ file: JSONField, _ name: String) throws -> String? {
    guard let field = try file.optional(name) else { return nil }
    if case .object = field.value { return try field.member("content").string() }
    return try field.string()
  }

  /// Whether the files say that the model is one of these, such as `roberta`; `nil` where they are silent.
  func isFamily(_ families: String...) -> Bool? {
    if modelType == nil, tokenizerClass == nil { return nil }
    let name = tokenizerClass?.lowercased().split(separator: "tokenizer").first.map(String.init)
    return families.contains { $0 == modelType?.lowercased() || $0 == name }
  }

  /// The ids of the tokens, as far as `id` knows them: by the names of the files, else by the usual ones.
  func specialTokens(_ usual: SpecialTokenNames, _ id: (String) -> Int32?) -> SpecialTokens {
    func token(_ role: String, _ names: [String]) -> Int32? {
      self.names[role].map(id) ?? names.lazy.compactMap(id).first
    }
    return SpecialTokens(
      pad: token("pad", usual.pad), cls: token("cls", usual.cls), sep: token("sep", usual.sep),
      unk: token("unk", usual.unk), mask: token("mask", usual.mask), bos: token("bos", usual.bos),
      eos: token("eos", usual.eos))
  }

  /// The text of the token with a role.
  func name(of role: String, else usual: String) -> String { names[role] ?? usual }
}
