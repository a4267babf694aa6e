import Foundation
import Testing

@testable import Tokenizers

private let stories = Fixtures.data.appendingPathComponent("tokenizers/stories260k")

/// Ids equal to llama2.c's `run.c`, written anew in `Tools/golden/tokenizers_scores.py`.
@Suite(.enabled(if: Fixtures.exists(stories), "needs the data in the folder of JAY_DATA"))
struct Llama2CTests {
  private static let tokenizer = Result { try TokenizerLoader.load(from: stories) }

  @Test func idsEqualTheReference() throws {
    let golden = try Fixtures.golden("llama2c.json", as: ScoredGolden.self)
    let tokenizer = try Self.tokenizer.get()
    try golden.check(tokenizer)
    for golden in golden.cases {
      #expect(tokenizer.decode(golden.ids, skipSpecialTokens: true).utf8.elementsEqual(golden.text.utf8))
    }
  }

  /// The continuation that the published weights write.
  @Test func theKnownStoryIsRead() throws {
    struct Facts: Decodable {
      let greedy_token_ids_from_bos: [Int32], greedy_text: String
    }
    let file = Fixtures.data.appendingPathComponent("weights/llama_stories260k/config.json")
    let facts = try JSONDecoder().decode(Facts.self, from: Data(contentsOf: file))
    let text = facts.greedy_text.dropFirst().replacingOccurrences(of: "<0x0A>", with: "\n")
    let tokenizer = try Self.tokenizer.get()
    #expect(tokenizer.decode([1] + facts.greedy_token_ids_from_bos, skipSpecialTokens: true) == text)
    #expect(tokenizer.encode(text).ids == [1] + facts.greedy_token_ids_from_bos)
  }

  @Test func isReadFromItsFileToo() throws {
    let tokenizer = try TokenizerLoader.load(from: stories.appendingPathComponent("tok512.bin"))
    #expect(tokenizer.vocabularySize == 512)
    #expect(tokenizer.specialTokens == SpecialTokens(unk: 0, bos: 1, eos: 2))
    #expect(tokenizer.encode("Lily").ids == (try Self.tokenizer.get().encode("Lily").ids))
    #expect(tokenizer.decode([1, 2, 0], skipSpecialTokens: true).isEmpty)
    #expect(tokenizer.decode([2], skipSpecialTokens: false) == "\n</s>\n")
  }
}

/// Small files of the same form.
struct Llama2CFileTests {
  /// Pieces 0 to 258, then those given.
  private static func file(
    _ pieces: [(text: String, score: Float)], longest: UInt32 = 8, changing change: (inout [String]) -> Void = { _ in }
  ) -> [UInt8] {
    var first = ["<unk>", "\n<s>\n", "\n</s>\n"]
    first += (0..<256).map { "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">" }
    change(&first)
    func bytes(_ word: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    return (first.map { (text: $0, score: Float(0)) } + pieces).reduce(into: bytes(longest)) { result, piece in
      result += bytes(piece.score.bitPattern) + bytes(UInt32(piece.text.utf8.count)) + Array(piece.text.utf8)
    }
  }

  private static func tokenizer(_ bytes: [UInt8], _ settings: String = "{}") throws -> any Tokenizer {
    try Fixtures.withFolder(["tokenizer_config.json": settings]) { folder in
      try Data(bytes).write(to: folder.appendingPathComponent("tokenizer.bin"))
      return try TokenizerLoader.load(from: folder)
    }
  }

  /// Ids from 259 on: " ", a, b, ab, ba, " a".
  private static let pieces: [(text: String, score: Float)] = [
    (" ", -9), ("a", -9), ("b", -9), ("ab", -1), ("ba", -1), (" a", -2),
  ]

  @Test func theBestScoreMergesFirstAndOfEqualOnesTheLeftmost() throws {
    let tokenizer = try Self.tokenizer(Self.file(Self.pieces))
    #expect(tokenizer.encode("aba").ids == [1, 259, 262, 260])
    #expect(tokenizer.encode("baba").ids == [1, 259, 263, 263])
    #expect(tokenizer.encode("aa").ids == [1, 264, 260])
    #expect(tokenizer.encode(" a").ids == [1, 259, 264])
    #expect(tokenizer.encode("").ids == [1])
  }

  @Test func settingsSayWhatIsAdded() throws {
    let settings = #"{"add_bos_token": false, "add_eos_token": true, "add_prefix_space": false}"#
    let tokenizer = try Self.tokenizer(Self.file(Self.pieces), settings)
    #expect(tokenizer.encode(" aé").ids == [264, 198, 172, 2])
    #expect(tokenizer.decode([264, 198, 172, 2], skipSpecialTokens: true) == " aé")
  }

  private static func sentence(_ bytes: [UInt8]) throws -> String {
    try Fixtures.withFolder([:]) { folder in
      let file = folder.appendingPathComponent("tokenizer.bin")
      try Data(bytes).write(to: file)
      do {
        _ = try TokenizerLoader.load(from: folder)
        return "no error"
      } catch let error as TokenizerError {
        return error.description.replacingOccurrences(of: folder.path, with: "DIR")
      }
    }
  }

  @Test func saysWhereAFileIsOfAnotherKind() throws {
    let whole = Self.file(Self.pieces)
    let end = "The file is damaged or cut short, or of another kind: fetch it again from the model's source."
    #expect(
      try Self.sentence(Array(whole.dropLast()))
        == "DIR/tokenizer.bin: not a tokenizer of llama2.c at byte \(whole.count - 10). \(end)")
    #expect(try Self.sentence([1, 2]) == "DIR/tokenizer.bin: not a tokenizer of llama2.c at byte 0. \(end)")
    #expect(try Self.sentence(Self.file([("x", .nan)])).contains("at byte"))
    #expect(try Self.sentence(Self.file([("123456789", 0)])).contains("at byte"))
  }

  @Test func saysWhichPiecesAreWrong() throws {
    #expect(
      try Self.sentence(Self.file([], changing: { $0.swapAt(3, 4) })) == """
        DIR/tokenizer.bin: the pieces: those from 3 to 258 are not <0x00> to <0xFF>, as llama2.c needs. Correct the \
        file, or fetch it again from the model's source.
        """)
    #expect(
      try Self.sentence(Self.file([("a", 0), ("a", 0)])) == """
        DIR/tokenizer.bin: piece 259: the same piece comes again behind it. Correct the file, or fetch it again from \
        the model's source.
        """)
  }
}
