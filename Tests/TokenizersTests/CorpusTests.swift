import Foundation
import Testing
import Tokenizers

/// Ids equal to huggingface/tokenizers on whole files, by SHA-256: on the smaller ones, or where `JAY_WHOLE_CORPORA`
/// is set on all.
///
/// Written by `Tools/golden/tokenizers.py`.
@Suite(
  .enabled(
    if: Fixtures.exists(Fixtures.minilm) && Fixtures.exists(Fixtures.data.appendingPathComponent("cl15")),
    "needs the data in the folder of JAY_DATA, and MiniLM in that of JAY_MODELS or in .models"))
struct CorpusTests {
  struct Golden: Decodable {
    let bertMaxTokens: Int
    let files: [File]
  }

  struct File: Decodable, Sendable {
    let file: String
    /// Dotted names of the fields to encode, one for a text, two for a pair.
    let fields: [[String]]
    let count: Int
    let minilm, bert: Digest
  }

  struct Digest: Decodable, Sendable, Equatable {
    let tokens: Int
    let sha256: String
  }

  private static let golden = Result { try Fixtures.golden("corpora.json", as: Golden.self) }
  private static let minilm = Result { try TokenizerLoader.load(from: Fixtures.minilm) }
  private static let bert = Result {
    try TokenizerLoader.load(from: Fixtures.data.appendingPathComponent("tokenizers/bert"))
  }

  private static let isWhole = ProcessInfo.processInfo.environment["JAY_WHOLE_CORPORA"] != nil

  @Test(arguments: try golden.get().files.filter { isWhole || $0.minilm.tokens < 200_000 }.map(\.file))
  func idsEqualTheReference(name: String) throws {
    let golden = try CorpusTests.golden.get()
    let file = try #require(golden.files.first { $0.file == name })
    let texts = try CorpusTests.texts(of: file)
    #expect(texts.count == file.count)
    #expect(CorpusTests.digest(of: try CorpusTests.minilm.get().encodeAll(texts)) == file.minilm)
    let cut = try CorpusTests.bert.get().encodeAll(texts, maxTokens: golden.bertMaxTokens)
    #expect(CorpusTests.digest(of: cut) == file.bert)
  }

  private static func digest(of encodings: [Encoding]) -> Digest {
    var digest = SHA256()
    for encoding in encodings {
      digest.update([Int32(encoding.ids.count)])
      digest.update(encoding.ids)
    }
    return Digest(tokens: encodings.reduce(0) { $0 + $1.ids.count }, sha256: digest.finish())
  }

  private static func texts(of file: File) throws -> [(String, String?)] {
    let content = try unpacked(Fixtures.data.appendingPathComponent(file.file))
    var texts: [(String, String?)] = []
    for line in content.split(separator: 0x0A) {
      let record = try JSONSerialization.jsonObject(with: Data(line))
      for names in file.fields {
        let values = try names.map { try #require(value(of: record, $0)) }
        texts.append((values[0], values.count == 2 ? values[1] : nil))
      }
    }
    return texts
  }

  private static func value(of record: Any, _ path: String) -> String? {
    path.split(separator: ".").reduce(record as Any?) { ($0 as? [String: Any])?[String($1)] } as? String
  }

  private static func unpacked(_ url: URL) throws -> Data {
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-dc", url.path]
    let output = Pipe()
    gzip.standardOutput = output
    try gzip.run()
    let content = try output.fileHandleForReading.readToEnd() ?? Data()
    gzip.waitUntilExit()
    try #require(gzip.terminationStatus == 0, "gzip -dc \(url.path)")
    return content
  }
}
