import Foundation

/// The `vocab.json` and `merges.txt` of GPT-2, RoBERTa, Qwen 2 and CLIP.
struct ByteLevelFiles {
  private let vocabulary: Vocabulary
  private let merges: MergeTable
  private let file: String

  init(vocabulary url: URL, merges: URL) throws {
    file = url.path
    vocabulary = try Vocabulary(JSONField(contentsOf: url))
    let lines = try TextLines.read(merges)
    var table = MergeTable(capacity: lines.count)
    var rank = 0
    for (index, line) in lines.enumerated() where !line.utf8.starts(with: "#version".utf8) && !line.isEmpty {
      let parts = line.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x0D })
      guard parts.count == 2,
        table.insert(
          String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self), rank: rank,
          in: vocabulary, prefix: "")
      else {
        throw TokenizerError.inconsistent(
          file: "\(merges.path):\(index + 1)", path: "\"\(line)\"",
          problem: "it should be two tokens of vocab.json whose whole is one too")
      }
      rank += 1
    }
    self.merges = table
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    if settings.isFamily("clip", "clip_text_model") ?? (vocabulary.id(of: "!</w>") != nil) {
      return try CLIPFile(vocabulary, merges, file: file).tokenizer(settings)
    }
    let isRoberta = settings.isFamily("roberta") ?? (vocabulary.id(of: "<s>") != nil)
    let isQwen = settings.isFamily("qwen2", "qwen2_moe", "qwen3", "qwen3_moe") ?? false
    let usual: SpecialTokenNames =
      isRoberta
      ? .roberta
      : isQwen ? SpecialTokenNames(pad: ["<|endoftext|>"], eos: ["<|endoftext|>"]) : .gpt2
    let special = settings.specialTokens(usual, id(settings))
    let pattern: any Scanner = isQwen ? CL100KScanner(maxDigits: 1) : GPT2Scanner()
    var tokenizer = PipelineTokenizer(
      model: BPE(vocabulary, merges: merges, unknown: nil, options: BPE.Options()),
      addedTokens: added(special, settings), normalizer: isQwen ? NormalForm.composed : nil,
      preTokenizer: ByteLevel(addsPrefixSpace: settings.addsPrefixSpace ?? false, pattern: pattern),
      decoder: ByteLevel(addsPrefixSpace: false, pattern: nil))
    tokenizer.specialTokens = special
    if isRoberta {
      tokenizer.postProcessor.template = .roberta(
        cls: try required(special.cls, settings.name(of: "cls", else: "<s>")),
        sep: try required(special.sep, settings.name(of: "sep", else: "</s>")))
      tokenizer.postProcessor.trimming = .init(addsPrefixSpace: settings.addsPrefixSpace ?? false)
    } else if settings.addsBOS ?? false, let bos = special.bos {
      tokenizer.postProcessor.template = .continued(bos: bos, eos: nil)
    }
    return tokenizer
  }

  private func id(_ settings: TokenizerSettings) -> (String) -> Int32? {
    { name in
      settings.addedTokens.last { $0.content.utf8.elementsEqual(name.utf8) }?.id ?? vocabulary.id(of: name)
    }
  }

  /// Those that have a role, and those of `tokenizer_config.json`, which may say more of them.
  private func added(_ special: SpecialTokens, _ settings: TokenizerSettings) -> [AddedTokens.Token] {
    let ids = [special.bos, special.eos, special.unk, special.sep, special.pad, special.cls, special.mask]
    return Set(ids.compactMap { $0 }).sorted().compactMap { id in
      vocabulary[id: id].map { AddedTokens.Token(content: $0, id: id) }
    } + settings.addedTokens
  }

  private func required(_ id: Int32?, _ name: String) throws(TokenizerError) -> Int32 {
    if let id { return id }
    throw .inconsistent(file: file, path: "the vocabulary", problem: "it has no \"\(name)\", which RoBERTa needs")
  }
}
