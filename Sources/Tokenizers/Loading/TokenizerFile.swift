import Foundation

/// A `tokenizer.json` of huggingface/tokenizers.
struct TokenizerFile {
  private let root: JSONField

  init(contentsOf url: URL) throws {
    root = try JSONField(contentsOf: url)
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> BertTokenizer {
    let model = try wordPiece()
    let normalizer = BertNormalizer(try normalizerOptions())
    try checkType(of: "pre_tokenizer", ["BertPreTokenizer"])
    let added = try addedTokens(model.vocabulary)
    let addedOnly = added.filter { model.vocabulary.id(of: $0.content) == nil }
    var special = settings.specialTokens { name in
      added.last { $0.content.utf8.elementsEqual(name.utf8) }?.id ?? model.vocabulary.id(of: name)
    }
    special.unk = model.unknown
    return BertTokenizer(
      normalizer: normalizer,
      model: model,
      addedTokens: AddedTokens(added, normalizer: normalizer),
      template: try template(),
      decoder: try decoder(),
      specialTokens: special,
      vocabularySize: model.vocabulary.count + addedOnly.count)
  }

  /// The component of that name, once its type is known to be one of `supported`.
  @discardableResult
  private func checkType(of name: String, _ supported: [String]) throws -> (type: String, field: JSONField) {
    guard let field = try root.optional(name) else {
      throw TokenizerError.unsupportedComponent(
        file: root.file, path: name, found: JSON.null.description, supported: supported)
    }
    let type = try field.member("type")
    guard let known = try supported.first(where: { try type.string() == $0 }) else { throw type.unsupported(supported) }
    return (known, field)
  }

  private func wordPiece() throws -> WordPiece {
    let (_, model) = try checkType(of: "model", ["WordPiece"])
    let entries = try model.member("vocab").members().map { (token: $0.key, id: try $0.field.id()) }
    let vocabulary = Vocabulary(entries)
    let unknown = try model.member("unk_token")
    guard let id = vocabulary.id(of: try unknown.string()) else {
      throw unknown.inconsistent("the vocabulary has no token \(unknown.value.description)")
    }
    return WordPiece(
      vocabulary, unknown: id, continuingPrefix: try model.member("continuing_subword_prefix").string(),
      maxScalarsPerWord: Int(try model.member("max_input_chars_per_word").id()))
  }

  private func normalizerOptions() throws -> BertNormalizer.Options {
    let (_, normalizer) = try checkType(of: "normalizer", ["BertNormalizer"])
    let lowercases = try normalizer.member("lowercase").bool()
    return BertNormalizer.Options(
      cleansText: try normalizer.member("clean_text").bool(),
      spacesChinese: try normalizer.member("handle_chinese_chars").bool(),
      stripsAccents: try normalizer.optional("strip_accents")?.bool() ?? lowercases,
      lowercases: lowercases)
  }

  private func decoder() throws -> WordPieceDecoder {
    let (_, decoder) = try checkType(of: "decoder", ["WordPiece"])
    return WordPieceDecoder(
      prefix: try decoder.member("prefix").string(), cleansUp: try decoder.member("cleanup").bool())
  }

  /// The added tokens.
  ///
  /// Those the model lacks are numbered behind it, in order; the ids in the file must agree.
  private func addedTokens(_ vocabulary: Vocabulary) throws -> [AddedTokens.Token] {
    var next = Int32(vocabulary.count)
    var tokens: [AddedTokens.Token] = []
    for field in try root.optional("added_tokens")?.elements() ?? [] {
      let content = try field.member("content").string()
      guard !content.isEmpty else { continue }
      let known = tokens.first { $0.content.utf8.elementsEqual(content.utf8) }?.id ?? vocabulary.id(of: content)
      let id = try field.member("id")
      guard try id.id() == known ?? next else {
        throw id.inconsistent(
          "\"\(content)\" has the id \(id.value.description), but its place in the vocabulary is \(known ?? next)")
      }
      if known == nil { next += 1 }
      tokens.append(
        AddedTokens.Token(
          content: content, id: try id.id(), isSingleWord: try field.member("single_word").bool(),
          stripsLeft: try field.member("lstrip").bool(), stripsRight: try field.member("rstrip").bool(),
          isNormalized: try field.member("normalized").bool(), isSpecial: try field.member("special").bool()))
    }
    return tokens
  }
}

extension TokenizerFile {
  private func template() throws -> Template {
    guard try root.optional("post_processor") != nil else { return .bare }
    let (type, processor) = try checkType(of: "post_processor", ["BertProcessing", "TemplateProcessing"])
    if type == "BertProcessing" {
      return .bert(cls: try namedID(processor.member("cls")), sep: try namedID(processor.member("sep")))
    }
    let single = try processor.member("single")
    let template = Template(
      single: try single.elements().map { try piece($0, of: processor) },
      pair: try processor.member("pair").elements().map { try piece($0, of: processor) })
    if template.single.contains(where: { if case .second = $0 { true } else { false } }) {
      throw single.inconsistent("the template for one text uses a second one, B")
    }
    return template
  }

  /// The id of a `["[SEP]", 102]`.
  private func namedID(_ field: JSONField) throws -> Int32 {
    let elements = try field.elements()
    guard elements.count == 2 else { throw field.unexpected("a list of a token and its id") }
    return try elements[1].id()
  }

  private func piece(_ field: JSONField, of processor: JSONField) throws -> Template.Piece {
    if let sequence = try field.optional("Sequence") {
      let id = try sequence.member("id")
      let segment = try sequence.member("type_id").id()
      switch try id.string() {
      case "A": return .first(segment: segment)
      case "B": return .second(segment: segment)
      default: throw id.unexpected("\"A\" or \"B\"")
      }
    }
    let special = try field.member("SpecialToken")
    let name = try special.member("id")
    guard let token = try processor.member("special_tokens").optional(try name.string()) else {
      throw name.inconsistent("post_processor.special_tokens has no \(name.value.description)")
    }
    return .special(
      ids: try token.member("ids").elements().map { try $0.id() }, segment: try special.member("type_id").id())
  }
}
