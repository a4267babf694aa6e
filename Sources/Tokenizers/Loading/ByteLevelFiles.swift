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
    let special = settings.specialTokens(usual, in: vocabulary)
    let pattern: any Scanner = isQwen ? CL100KScanner(maxDigits: 1) : GPT2Scanner()
    var tokenizer = PipelineTokenizer(
      model: BPE(vocabulary, merges: merges, unknown: nil, options: BPE.Options()),
      addedTokens: settings.soughtTokens(special, in: vocabulary), normalizer: isQwen ? NormalForm.composed : nil,
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

  private func required(_ id: Int32?, _ name: String) throws(TokenizerError) -> Int32 {
    if let id { return id }
    throw .inconsistent(file: file, path: "the vocabulary", problem: "it has no \"\(name)\", which RoBERTa needs")
  }
}
