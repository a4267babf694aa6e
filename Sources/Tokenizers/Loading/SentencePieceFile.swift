import Foundation

/// A SentencePiece model: `spiece.model` (T5), `tokenizer.model` (Llama), `sentencepiece.bpe.model` (XLM-RoBERTa).
///
/// The conventions around the model are those that transformers' fast tokenizers follow.
struct SentencePieceFile {
  /// The usual names, in the order of looking.
  static let names = ["spiece.model", "tokenizer.model", "sentencepiece.bpe.model", "sentencepiece.model"]

  private let content: SentencePieceModel
  private let file: String
  private let mark: Unicode.Scalar = "\u{2581}"

  init(contentsOf url: URL) throws {
    file = url.path
    do {
      content = try SentencePieceModel(try JSONField.bytes(of: url))
    } catch let failure as WireReader.Failure {
      throw TokenizerError.malformedModel(file: url.path, byte: failure.byte)
    }
    guard !content.pieces.isEmpty else { throw TokenizerError.malformedModel(file: url.path, byte: 0) }
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    switch content.algorithm {
    case .bpe: return bytePairTokenizer(settings)
    case .unigram:
      if settings.isFamily("xlm-roberta", "xlmroberta") ?? file.hasSuffix("sentencepiece.bpe.model") {
        return try xlmRoberta(settings)
      }
      let isT5 = content.pieces.prefix(2).map(\.text) == ["<pad>", "</s>"]
      return try settings.isFamily("t5", "mt5", "umt5") ?? isT5 ? t5(settings) : plainUnigram(settings)
    case .word, .character:
      throw TokenizerError.unsupportedComponent(
        file: file, path: "trainer_spec.model_type", found: "\(content.algorithm)", supported: ["bpe", "unigram"])
    }
  }

  private var pieces: [(token: String, score: Double)] { content.pieces.map { ($0.text, $0.score) } }

  /// The piece that stands for what cannot be spelled.
  private var unknown: Int32? {
    content.pieces.firstIndex { $0.kind == .unknown }.map { Int32($0) }
  }

  /// Control pieces, which are special, and those the trainer's user defined.
  private func addedTokens(_ vocabulary: Vocabulary) -> [AddedTokens.Token] {
    content.pieces.filter { $0.kind == .control || $0.kind == .userDefined }.compactMap { piece in
      vocabulary.id(of: piece.text).map {
        AddedTokens.Token(content: piece.text, id: $0, isSpecial: piece.kind == .control)
      }
    }
  }
}

extension SentencePieceFile {
  /// Pieces, then `<extra_id_99>` to `<extra_id_0>`; a text ends in `</s>`.
  private func t5(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    let extra = (0..<(settings.extraIDs ?? 100)).reversed().map { "<extra_id_\($0)>" }
    let model = Unigram(pieces + extra.map { ($0, 0) }, unknown: unknown, fallsBackToBytes: false)
    var tokenizer = try unigram(model, .t5, extra, settings)
    let eos = try required(tokenizer.specialTokens.eos, settings.name(of: "eos", else: "</s>"))
    tokenizer.postProcessor.template = .ended(eos: eos)
    return tokenizer
  }

  /// The first pieces in another order, `<mask>` last; texts stand between `<s>` and `</s>`.
  private func xlmRoberta(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    let first = ["<s>", "<pad>", "</s>", "<unk>"].map { (token: $0, score: 0.0) }
    let model = Unigram(
      first + pieces.dropFirst(3) + [(token: "<mask>", score: 0)], unknown: 3, fallsBackToBytes: false)
    var tokenizer = try unigram(model, .roberta, [], settings)
    tokenizer.postProcessor.template = .roberta(
      cls: try required(tokenizer.specialTokens.cls, settings.name(of: "cls", else: "<s>")),
      sep: try required(tokenizer.specialTokens.sep, settings.name(of: "sep", else: "</s>")))
    return tokenizer
  }

  /// The model alone, with nothing around a text.
  private func plainUnigram(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    try unigram(
      Unigram(pieces, unknown: unknown, fallsBackToBytes: content.fallsBackToBytes), .common, [], settings)
  }

  private func unigram(
    _ model: Unigram, _ names: SpecialTokenNames, _ extra: [String], _ settings: TokenizerSettings
  ) throws -> PipelineTokenizer {
    let vocabulary = model.vocabulary
    let special = settings.specialTokens(names, in: vocabulary)
    let normalizer = content.characterMap.isEmpty ? nil : Precompiled(map: content.characterMap)
    if normalizer == nil, !content.characterMap.isEmpty { throw TokenizerError.malformedModel(file: file, byte: 0) }
    let sentinels = extra.compactMap { name in
      vocabulary.id(of: name).map { AddedTokens.Token(content: name, id: $0) }
    }
    let metaspace = Metaspace(
      replacement: mark, prependScheme: content.addsDummyPrefix ? .always : .never, splits: true)
    var tokenizer = PipelineTokenizer(
      model: model, addedTokens: addedTokens(vocabulary) + sentinels + settings.soughtTokens(special, in: vocabulary),
      normalizer: normalizer,
      preTokenizer: content.removesExtraBlanks
        ? PreTokenizerSequence(steps: [ScalarSplit.whitespace, metaspace]) : metaspace,
      decoder: metaspace)
    tokenizer.specialTokens = special
    tokenizer.specialTokens.unk = model.unknown
    return tokenizer
  }

  private func required(_ id: Int32?, _ name: String) throws(TokenizerError) -> Int32 {
    if let id { return id }
    throw .inconsistent(file: file, path: "the pieces", problem: "there is no \"\(name)\", which the model needs")
  }
}

extension SentencePieceFile {
  /// Llama's: one mark before the text, merges in the order of the pieces' scores, bytes for what has no piece.
  ///
  /// These are SentencePiece's own ids. transformers 5.23 orders the merges by id, and puts no mark before a text that
  /// begins with a blank: it gives other ids where two blanks or more stand side by side.
  private func bytePairTokenizer(_ settings: TokenizerSettings) -> PipelineTokenizer {
    let vocabulary = Vocabulary(content.pieces.enumerated().map { ($1.text, Int32($0)) })
    let model = BPE(
      vocabulary, merges: merges(vocabulary), unknown: unknown,
      options: BPE.Options(fusesUnknown: true, fallsBackToBytes: content.fallsBackToBytes))
    let special = settings.specialTokens(.llama, in: vocabulary)
    let prepends = settings.addsPrefixSpace ?? content.addsDummyPrefix
    let isLegacy = settings.isLegacy ?? false
    var tokenizer = PipelineTokenizer(
      model: model, addedTokens: addedTokens(vocabulary) + settings.soughtTokens(special, in: vocabulary),
      normalizer: isLegacy ? legacyNormalizer(prepends: prepends) : nil,
      preTokenizer: isLegacy
        ? nil
        : Metaspace(
          replacement: mark, prependScheme: prepends ? .first : .never, splits: false, repeatsMark: true),
      decoder: decoder(strips: prepends))
    tokenizer.specialTokens = special
    tokenizer.specialTokens.unk = model.unknown
    tokenizer.postProcessor.template = .continued(
      bos: settings.addsBOS ?? true ? special.bos : nil, eos: settings.addsEOS ?? false ? special.eos : nil)
    return tokenizer
  }

  /// Older Llamas put a mark before what follows a special token, too.
  private func legacyNormalizer(prepends: Bool) -> any Normalizer {
    let mark = Array(String(mark).utf8)
    let replace = Replace(pattern: .literal([0x20]), content: mark)
    return NormalizerSequence(steps: prepends ? [Prepend(content: mark), replace] : [replace])
  }

  private func decoder(strips: Bool) -> any Decoder {
    let common: [any Decoder] = [
      Replace(pattern: .literal(Array(String(mark).utf8)), content: [0x20]), ByteFallback(), Fuse(),
    ]
    return DecoderSequence(steps: strips ? common + [StripDecoder(content: " ", start: 1, stop: 0)] : common)
  }

  /// Control pieces and those of bytes come of no merge.
  private func merges(_ vocabulary: Vocabulary) -> MergeTable {
    let kinds: [SentencePieceModel.Kind] = [.normal, .userDefined, .unused]
    let pieces = content.pieces.enumerated().filter { kinds.contains($1.kind) }
    return MergeTable(cutting: pieces.map { (Int32($0), $1.text, $1.score) }, in: vocabulary)
  }
}
