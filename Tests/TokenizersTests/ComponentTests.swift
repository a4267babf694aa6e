import Foundation
import Testing

@testable import Tokenizers

/// Single components equal to those of huggingface/tokenizers.
///
/// Written by `Tools/golden/tokenizers_components.py`.
struct ComponentTests {
  struct Golden: Decodable, Sendable, CustomTestStringConvertible {
    let kind, json: String
    let texts: [String]
    let results: [[String]]

    var testDescription: String { json.count < 200 ? json : String(json.prefix(200)) + "…" }
  }

  private static func goldens(_ kind: String) throws -> [Golden] {
    try Fixtures.golden("components.json", as: [Golden].self).filter { $0.kind == kind }
  }

  private static func field(_ golden: Golden) throws -> JSONField {
    try Fixtures.withFolder(["part.json": golden.json]) {
      try JSONField(contentsOf: $0.appendingPathComponent("part.json"))
    }
  }

  /// Swift compares strings up to canonical equivalence; bytes are exact.
  private static func expectEqual(_ found: [String], _ expected: [String], _ text: String) {
    #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(text): \(found), not \(expected)")
  }

  @Test(arguments: try goldens("normalizers"))
  func normalizes(golden: Golden) throws {
    let normalizer = try #require(try Components.normalizer(Self.field(golden)))
    for (text, expected) in zip(golden.texts, golden.results) {
      let found = normalizer.normalized(Array(text.utf8))
      Self.expectEqual([String(decoding: found, as: UTF8.self)], expected, text)
      var tracked = AlignedText(Array(text.utf8), tracks: true)
      normalizer.normalize(&tracked)
      #expect(tracked.bytes == found && tracked.origins?.count == found.count)
    }
  }

  @Test(arguments: try goldens("pre_tokenizers"))
  func cutsIntoPieces(golden: Golden) throws {
    let preTokenizer = try #require(try Components.preTokenizer(Self.field(golden)))
    for (text, expected) in zip(golden.texts, golden.results) where !text.isEmpty {
      var pieces = PreTokenizedText(AlignedText(Array(text.utf8), tracks: true), isBeginning: true)
      preTokenizer.split(&pieces)
      Self.expectEqual(
        pieces.pieces.map { String(decoding: pieces.text.bytes[$0], as: UTF8.self) }, expected, text)
    }
  }

  @Test(arguments: try goldens("decoders"))
  func decodes(golden: Golden) throws {
    let decoder = try #require(try Components.decoder(Self.field(golden)))
    for (text, expected) in zip(golden.texts, golden.results) {
      let parts = try JSONDecoder().decode([String].self, from: Data(text.utf8))
      Self.expectEqual([decoder.decode(parts).joined()], expected, text)
    }
  }

  @Test(arguments: try goldens("models"))
  func spells(golden: Golden) throws {
    let tokenizer = PipelineTokenizer(model: try Components.model(Self.field(golden)), addedTokens: [])
    for (text, expected) in zip(golden.texts, golden.results) {
      Self.expectEqual(tokenizer.encode(text).ids.map { String($0) }, expected, text)
    }
  }
}
