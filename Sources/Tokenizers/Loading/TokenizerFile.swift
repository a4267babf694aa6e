import Foundation

/// A `tokenizer.json` of huggingface/tokenizers.
struct TokenizerFile {
  private let root: JSONField

  init(contentsOf url: URL) throws {
    root = try JSONField(contentsOf: url)
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    let model = try Components.model(root.member("model"))
    let added = try addedTokens(model.vocabulary)
    var decoder = try Components.decoder(root.optional("decoder"))
    if let bytes = decoder as? ByteLevel, let suffix = (model as? BPE)?.endSuffix, !suffix.isEmpty {
      // The decoder of CLIP's file leaves the ends of words in the text; transformers does not.
      decoder = DecoderSequence(steps: [bytes, WordEnds(suffix: Array(suffix.utf8))])
    }
    var tokenizer = PipelineTokenizer(
      model: model, addedTokens: added,
      normalizer: try Components.normalizer(root.optional("normalizer")),
      preTokenizer: try Components.preTokenizer(root.optional("pre_tokenizer")), decoder: decoder)
    let processor = try root.optional("post_processor")
    if let processor { tokenizer.postProcessor = try PostProcessor(processor) }
    tokenizer.specialTokens = settings.specialTokens(.common) { name in
      added.last { $0.content.utf8.elementsEqual(name.utf8) }?.id ?? model.vocabulary.id(of: name)
    }
    tokenizer.specialTokens.unk = model.unknown ?? tokenizer.specialTokens.unk
    if let processor { try name(tokensOf: processor, in: &tokenizer.specialTokens) }
    return tokenizer
  }

  /// A processor may say which tokens open and close a text.
  private func name(tokensOf processor: JSONField, in special: inout SpecialTokens) throws {
    if special.cls == nil { special.cls = try processor.optional("cls")?.namedID() }
    if special.sep == nil { special.sep = try processor.optional("sep")?.namedID() }
  }

  /// The added tokens.
  ///
  /// Those the model lacks are numbered behind it, in order; the ids in the file must agree.
  private func addedTokens(_ vocabulary: Vocabulary) throws -> [AddedTokens.Token] {
    var next = Int32(vocabulary.count)
    var tokens: [AddedTokens.Token] = []
    var known: [[UInt8]: Int32] = [:]
    for field in try root.optional("added_tokens")?.elements() ?? [] {
      let content = try field.member("content").string()
      guard !content.isEmpty else { continue }
      let place = known[Array(content.utf8)] ?? vocabulary.id(of: content)
      let id = try field.member("id")
      guard try id.id() == place ?? next else {
        throw id.inconsistent(
          "\"\(content)\" has the id \(id.value.description), but its place in the vocabulary is \(place ?? next)")
      }
      if place == nil { next += 1 }
      known[Array(content.utf8)] = try id.id()
      tokens.append(try AddedTokens.Token(field, content: content, id: try id.id()))
    }
    return tokens
  }
}

extension AddedTokens.Token {
  /// What a file says of a token beside its content and id.
  init(_ field: JSONField, content: String, id: Int32) throws {
    self.init(
      content: content, id: id, isSingleWord: try field.member("single_word").bool(),
      stripsLeft: try field.member("lstrip").bool(), stripsRight: try field.member("rstrip").bool(),
      isNormalized: try field.member("normalized").bool(), isSpecial: try field.member("special").bool())
  }
}
