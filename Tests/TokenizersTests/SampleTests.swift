import Foundation
import Testing
import Tokenizers

/// The samples that lie beside the vocabularies of the development data, made with each tokenizer's reference.
@Suite(
  .enabled(
    if: Fixtures.exists(Fixtures.data.appendingPathComponent("tokenizers")),
    "needs the data in the folder of JAY_DATA"))
struct SampleTests {
  struct Sample: Decodable {
    let text: String
    let ids: [Int32]
  }

  private static let folder = Fixtures.data.appendingPathComponent("tokenizers")
  /// The folders that have samples.
  private static let names = ["bert", "gpt2", "llama", "roberta", "t5"]

  @Test(arguments: names)
  func idsEqualTheReference(name: String) throws {
    let folder = Self.folder.appendingPathComponent(name)
    let tokenizer = try TokenizerLoader.load(from: folder)
    let samples = try JSONDecoder().decode(
      [Sample].self, from: Data(contentsOf: folder.appendingPathComponent("samples.json")))
    #expect(samples.count == 6)
    for sample in samples {
      #expect(tokenizer.encode(sample.text).ids == sample.ids, "\(sample.text)")
    }
  }

  /// No folder with samples is left out, and every other has a test of its own.
  @Test func everyFolderIsKnown() throws {
    let found = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { Fixtures.exists(Self.folder.appendingPathComponent("\($0)/samples.json")) }
    #expect(found.sorted() == Self.names)
  }
}
