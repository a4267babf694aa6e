import Foundation
import Testing

@testable import Tokenizers

/// Ids, segments, text and spans equal to huggingface/tokenizers on texts chosen to break, from both kinds of files.
@Suite(
  .enabled(
    if: Fixtures.exists(Fixtures.data.appendingPathComponent("tokenizers")),
    "needs the data in the folder of JAY_DATA"))
struct FamilyTests {
  struct Case: Decodable {
    let text: String
    let pair: String?
    let ids: [Int32]
    let segments: [Int32]?
    let decoded, decodedWhole: String?
    /// Start and end of each token, in turn.
    let spans: [Int]?
  }

  private static func cases(_ family: Family) throws -> [Case] {
    try Fixtures.golden("Families/\(family.name)-texts.json", as: [Case].self)
  }

  @Test(arguments: Family.all)
  func readsTokenizerFiles(family: Family) throws {
    try check(family, family.fromTokenizerFile())
  }

  @Test(arguments: Family.all.filter { $0.settings != nil })
  func readsOlderFiles(family: Family) throws {
    try check(family, family.fromOlderFiles())
  }

  private func check(_ family: Family, _ tokenizer: any Tokenizer) throws {
    for golden in try Self.cases(family) {
      let encoding = tokenizer.encode(golden.text, pair: golden.pair, maxTokens: nil)
      let segments = golden.segments ?? golden.ids.map { _ in 0 }
      #expect(encoding == Encoding(ids: golden.ids, segments: segments), "\(golden)")
      #expect(tokenizer.encodeWithSpans(golden.text, pair: golden.pair, maxTokens: nil).encoding == encoding)
      guard let decoded = golden.decoded, let whole = golden.decodedWhole else { continue }
      // Swift compares strings up to canonical equivalence; scalars are exact.
      let skipped = tokenizer.decode(golden.ids, skipSpecialTokens: true)
      #expect(Array(skipped.unicodeScalars) == Array(decoded.unicodeScalars), "\(golden)")
      let kept = tokenizer.decode(golden.ids, skipSpecialTokens: false)
      #expect(Array(kept.unicodeScalars) == Array(whole.unicodeScalars), "\(golden)")
    }
  }

  /// Where characters are joined, the reference counts only the first or the last as the source of what they make,
  /// Jay all.
  @Test(arguments: Family.all)
  func saysWhereTokensComeFrom(family: Family) throws {
    let tokenizer = try family.fromTokenizerFile()
    for golden in try Self.cases(family) where !Self.joins(golden.text) {
      guard let spans = golden.spans else { continue }
      let found = tokenizer.encodeWithSpans(golden.text).spans
      #expect(found.flatMap { [$0?.utf8.lowerBound ?? 0, $0?.utf8.upperBound ?? 0] } == spans, "\(golden)")
      #expect(found.allSatisfy { $0?.isPair != true })
    }
  }

  private static func joins(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    return scalars.contains { $0.properties.canonicalCombiningClass != .notReordered || $0.properties.isGraphemeExtend }
      || (0x1100...0x11FF).contains { value in scalars.contains { $0.value == value } }
      || zip(scalars, scalars.dropFirst()).contains { isBlank($0) && isBlank($1) }
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar == "\u{2581}"
  }

  @Test(arguments: Family.all)
  func streamsTheSameText(family: Family) throws {
    let tokenizer = try family.fromTokenizerFile()
    for golden in try Self.cases(family) {
      guard let whole = golden.decodedWhole else { continue }
      var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: false)
      let parts = golden.ids.map { decoder.append($0) }
      #expect(parts.allSatisfy { !$0.unicodeScalars.contains("\u{FFFD}") } || whole.contains("\u{FFFD}"), "\(golden)")
      #expect(Array((parts.joined() + decoder.finish()).unicodeScalars) == Array(whole.unicodeScalars), "\(golden)")
    }
  }
}
