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

/// What the files beside a tokenizer say: `config.json`, `tokenizer_config.json`, and where that does not list the added
/// tokens itself `special_tokens_map.json` and `added_tokens.json`, in which they once were.
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
  /// In the order in which the reference adds them.
  private static let roleNames = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]
  /// The tokens with a role, as the files describe them; their ids are the vocabulary's.
  private var roles: [String: AddedTokens.Token] = [:]
  /// Special tokens without a role.
  private var otherSpecial: Set<String> = []

  /// Reads the files that are there. `tokenizer_config.json` has the last word where it lists the added tokens, else
  /// `special_tokens_map.json`, as in transformers 5.23.
  init(in directory: URL) throws {
    func file(_ name: String) throws -> JSONField? {
      let url = directory.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? try JSONField(contentsOf: url) : nil
    }
    modelType = try file("config.json")?.optional("model_type")?.string()
    let configuration = try file("tokenizer_config.json")
    let listed = try configuration?.optional("added_tokens_decoder")
    let files = [configuration, try file("special_tokens_map.json")].compactMap { $0 }
    for file in listed == nil ? files : files.reversed() { try readRoles(file) }
    if let configuration { try read(configuration) }
    addedTokens = try listed.map(Self.listedTokens) ?? file("added_tokens.json").map(unlistedTokens) ?? []
  }

  private mutating func read(_ file: JSONField) throws {
    tokenizerClass = try file.optional("tokenizer_class")?.string()
    lowercases = try file.optional("do_lower_case")?.bool()
    spacesChinese = try file.optional("tokenize_chinese_chars")?.bool()
    stripsAccents = try file.optional("strip_accents")?.bool()
    addsPrefixSpace = try file.optional("add_prefix_space")?.bool()
    addsBOS = try file.optional("add_bos_token")?.bool()
    addsEOS = try file.optional("add_eos_token")?.bool()
    isLegacy = try file.optional("legacy")?.bool()
    extraIDs = try file.optional("extra_ids")?.id(upTo: 65_536)
  }

  private mutating func readRoles(_ file: JSONField) throws {
    for role in Self.roleNames {
      if let field = try file.optional(role + "_token") { roles[role] = try AddedTokens.Token(role: field) }
    }
    for key in ["additional_special_tokens", "extra_special_tokens"] {
      guard let field = try file.optional(key), case .array = field.value else { continue }
      for token in try field.elements() { otherSpecial.insert(try AddedTokens.Token(role: token).content) }
    }
  }

  private static func listedTokens(_ file: JSONField) throws -> [AddedTokens.Token] {
    try file.members().map { key, field in
      guard let id = Int32(key), id >= 0 else { throw field.inconsistent("\"\(key)\" is no id of a token") }
      return try AddedTokens.Token(field, content: try field.member("content").string(), id: id)
    }
  }

  /// `added_tokens.json` has texts and ids alone.
  private func unlistedTokens(_ file: JSONField) throws -> [AddedTokens.Token] {
    let special = otherSpecial.union(roles.values.map(\.content))
    return try file.members().map { content, field in
      let isSpecial = special.contains(content)
      return AddedTokens.Token(content: content, id: try field.id(), isNormalized: !isSpecial, isSpecial: isSpecial)
    }
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
      roles[role].map { id($0.content) } ?? names.lazy.compactMap(id).first
    }
    return SpecialTokens(
      pad: token("pad", usual.pad), cls: token("cls", usual.cls), sep: token("sep", usual.sep),
      unk: token("unk", usual.unk), mask: token("mask", usual.mask), bos: token("bos", usual.bos),
      eos: token("eos", usual.eos))
  }

  /// The same of a vocabulary and the added tokens.
  func specialTokens(_ usual: SpecialTokenNames, in vocabulary: Vocabulary) -> SpecialTokens {
    specialTokens(usual) { name in
      addedTokens.last { $0.content.utf8.elementsEqual(name.utf8) }?.id ?? vocabulary.id(of: name)
    }
  }

  /// What is looked for in a text: the added tokens, and those of a vocabulary that have a role.
  func soughtTokens(_ special: SpecialTokens, in vocabulary: Vocabulary) -> [AddedTokens.Token] {
    let ids = [special.pad, special.cls, special.sep, special.unk, special.mask, special.bos, special.eos]
    return Set(ids.compactMap { $0 }).sorted().compactMap { id in
      guard let content = vocabulary[id: id] else { return nil }
      func isIt(_ token: AddedTokens.Token) -> Bool { token.content.utf8.elementsEqual(content.utf8) }
      if addedTokens.contains(where: isIt) { return nil }
      let described = Self.roleNames.lazy.compactMap { roles[$0] }.first(where: isIt)
      var token = described ?? AddedTokens.Token(content: content, id: id)
      token.id = id
      return token
    } + addedTokens
  }

  /// The text of the token with a role.
  func name(of role: String, else usual: String) -> String { roles[role]?.content ?? usual }
}

extension AddedTokens.Token {
  /// A token with a role: its text, or an object with its text under `content`. Its id is not known here.
  fileprivate init(role field: JSONField) throws {
    guard case .object = field.value else {
      self.init(content: try field.string(), id: -1)
      return
    }
    self.init(
      content: try field.member("content").string(), id: -1,
      isSingleWord: try field.optional("single_word")?.bool() ?? false,
      stripsLeft: try field.optional("lstrip")?.bool() ?? false,
      stripsRight: try field.optional("rstrip")?.bool() ?? false,
      isNormalized: try field.optional("normalized")?.bool() ?? false)
  }
}
