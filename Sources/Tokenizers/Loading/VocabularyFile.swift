import Foundation

/// A `vocab.txt` of BERT: one token a line, its id the number of the line from 0.
struct VocabularyFile {
  private let vocabulary: Vocabulary
  private let file: String

  init(contentsOf url: URL) throws {
    file = url.path
    vocabulary = Vocabulary(
      try TextLines.read(url).enumerated().map { (VocabularyFile.trimmed($1), Int32($0)) })
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> PipelineTokenizer {
    let special = settings.specialTokens(.bert, in: vocabulary)
    let unknown = try required(special.unk, settings.name(of: "unk", else: "[UNK]"))
    let lowercases = settings.lowercases ?? true
    let normalizer = BertNormalizer(
      BertNormalizer.Options(
        spacesChinese: settings.spacesChinese ?? true, stripsAccents: settings.stripsAccents ?? lowercases,
        lowercases: lowercases))
    var tokenizer = PipelineTokenizer(
      model: WordPiece(vocabulary, unknown: unknown, continuingPrefix: "##", maxScalarsPerWord: 100),
      addedTokens: settings.soughtTokens(special, in: vocabulary), normalizer: normalizer,
      preTokenizer: BertPreTokenizer(), decoder: WordPieceDecoder())
    tokenizer.postProcessor.template = .bert(
      cls: try required(special.cls, settings.name(of: "cls", else: "[CLS]")),
      sep: try required(special.sep, settings.name(of: "sep", else: "[SEP]")))
    tokenizer.specialTokens = special
    return tokenizer
  }

  private func required(_ id: Int32?, _ name: String) throws(TokenizerError) -> Int32 {
    if let id { return id }
    throw .inconsistent(file: file, path: "the vocabulary", problem: "it has no line \"\(name)\", which BERT needs")
  }

  private static func trimmed(_ line: Substring) -> String {
    var scalars = line.unicodeScalars
    while scalars.last?.isBlank ?? false { scalars.removeLast() }
    return String(scalars)
  }
}

/// The lines of a text file.
enum TextLines {
  /// Lines without their ends; a last empty one does not count.
  static func read(_ url: URL) throws(TokenizerError) -> [Substring] {
    try lines(of: JSONField.bytes(of: url), file: url.path)
  }

  /// The lines of what was read from a file.
  static func lines(of bytes: [UInt8], file: String) throws(TokenizerError) -> [Substring] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TokenizerError.unreadable(file: file, reason: "it is not UTF-8 text")
    }
    var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    return lines.map { Substring($0) }
  }
}
