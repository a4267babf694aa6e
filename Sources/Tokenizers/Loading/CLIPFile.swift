import Foundation

/// CLIP's `bpe_simple_vocab_16e6.txt.gz`: a line about itself, then merges, from which the vocabulary follows.
///
/// The tokenizer around them is that of transformers' `CLIPTokenizer`: canonical composition, blanks for white space and
/// lower case. CLIP's own code also mends broken encodings (ftfy) and reads HTML's entities; neither is done here.
/// Source: openai/CLIP `clip/simple_tokenizer.py` at 0848ed7; transformers 5.23.
struct CLIPFile {
  static let name = "bpe_simple_vocab_16e6.txt.gz"

  private static let wordEnd = "</w>"
  /// How many of the file's merges belong to CLIP.
  private static let mergeCount = 49152 - 256 - 2

  private let vocabulary: Vocabulary
  private let merges: MergeTable
  private let file: String

  init(contentsOf url: URL) throws {
    file = url.path
    let lines = try TextLines.lines(of: Gzip.read(url), file: url.path)
    let pairs = try lines.dropFirst().prefix(CLIPFile.mergeCount).enumerated().map { index, line in
      let parts = line.utf8.split(separator: 0x20)
      guard parts.count == 2 else { throw CLIPFile.noMerge(url, index, line) }
      return (left: String(decoding: parts[0], as: UTF8.self), right: String(decoding: parts[1], as: UTF8.self))
    }
    let characters = ByteCharacters.scalars.sorted().map { String($0) }
    let tokens =
      characters + characters.map { $0 + CLIPFile.wordEnd } + pairs.map { $0.left + $0.right }
      + ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = Vocabulary(tokens.enumerated().map { ($1, Int32($0)) })
    var merges = MergeTable(capacity: pairs.count)
    for (rank, pair) in pairs.enumerated() {
      guard merges.insert(pair.left, pair.right, rank: rank, in: vocabulary, prefix: "") else {
        throw CLIPFile.noMerge(url, rank, lines[rank + 1])
      }
    }
    self.merges = merges
  }

  /// The same of `vocab.json` and `merges.txt`.
  init(_ vocabulary: Vocabulary, _ merges: MergeTable, file: String) {
    (self.vocabulary, self.merges, self.file) = (vocabulary, merges, file)
  }

  private static func noMerge(_ url: URL, _ index: Int, _ line: Substring) -> TokenizerError {
    .inconsistent(
      file: "\(url.path):\(index + 2)", path: "\"\(line)\"", problem: "it should be two tokens made by lines before it")
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    let special = settings.specialTokens(.clip, in: vocabulary)
    var tokenizer = PipelineTokenizer(
      model: BPE(vocabulary, merges: merges, unknown: special.unk, options: BPE.Options(endSuffix: CLIPFile.wordEnd)),
      addedTokens: settings.soughtTokens(special, in: vocabulary),
      normalizer: NormalizerSequence(steps: [
        NormalForm.composed, Replace(pattern: .scanner(SpaceScanner()), content: [0x20]), Lowercase(),
      ]),
      preTokenizer: PreTokenizerSequence(steps: [
        Split(pattern: .scanner(CLIPScanner(findsSpecialTokens: true)), behavior: .removed, inverts: true),
        ByteLevel(addsPrefixSpace: false, pattern: GPT2Scanner()),
      ]),
      decoder: DecoderSequence(steps: [
        ByteLevel(addsPrefixSpace: false, pattern: nil), WordEnds(suffix: Array(CLIPFile.wordEnd.utf8)),
      ]))
    tokenizer.specialTokens = special
    tokenizer.postProcessor.template = .roberta(
      cls: try required(special.bos, settings.name(of: "bos", else: "<|startoftext|>")),
      sep: try required(special.eos, settings.name(of: "eos", else: "<|endoftext|>")))
    return tokenizer
  }

  private func required(_ id: Int32?, _ name: String) throws(TokenizerError) -> Int32 {
    if let id { return id }
    throw .inconsistent(file: file, path: "the vocabulary", problem: "it has no \"\(name)\", which CLIP needs")
  }
}
