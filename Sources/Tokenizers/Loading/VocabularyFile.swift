import Foundation

/// A `vocab.txt`: one token a line, its id the number of the line from 0.
struct VocabularyFile {
  let vocabulary: Vocabulary
  private let file: String

  init(contentsOf url: URL) throws {
    file = url.path
    guard let text = String(validating: try JSONField.bytes(of: url), as: UTF8.self) else {
      throw TokenizerError.unreadable(file: url.path, reason: "it is not UTF-8 text")
    }
    var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    vocabulary = Vocabulary(lines.enumerated().map { (VocabularyFile.trimmed(Substring($1)), Int32($0)) })
  }

  func tokenizer(_ settings: TokenizerSettings) throws -> BertTokenizer {
    let special = settings.specialTokens(vocabulary.id)
    let unknown = try required(special.unk, settings.unk)
    let normalizer = BertNormalizer(settings.normalizer)
    let names = [settings.pad, settings.unk, settings.cls, settings.sep, settings.mask]
    let added = names.compactMap { name in
      name.flatMap { name in vocabulary.id(of: name).map { AddedTokens.Token(content: name, id: $0) } }
    }
    return BertTokenizer(
      normalizer: normalizer,
      model: WordPiece(vocabulary, unknown: unknown, continuingPrefix: "##", maxScalarsPerWord: 100),
      addedTokens: AddedTokens(added, normalizer: normalizer),
      template: .bert(cls: try required(special.cls, settings.cls), sep: try required(special.sep, settings.sep)),
      decoder: WordPieceDecoder(),
      specialTokens: special,
      vocabularySize: vocabulary.count)
  }

  private func required(_ id: Int32?, _ name: String?) throws(TokenizerError) -> Int32 {
    if let id { return id }
    throw .inconsistent(
      file: file, path: "the vocabulary", problem: "it has no line \"\(name ?? "")\", which BERT needs")
  }

  private static func trimmed(_ line: Substring) -> String {
    var scalars = line.unicodeScalars
    while scalars.last?.properties.isWhitespace ?? false { scalars.removeLast() }
    return String(scalars)
  }
}
