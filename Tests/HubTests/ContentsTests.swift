import Foundation
import Testing

@testable import Hub

/// Repositories without what Jay reads.
@Suite struct ContentsTests {
  private func sentence(_ files: [String], _ contents: HubContents) -> String {
    do {
      let repository = try HubRepository("toy/tiny", kind: contents == .data ? .dataset : .model)
      return try contents.firstFiles(of: files, in: repository).joined(separator: " ")
    } catch { return "\(error)" }
  }

  @Test func aPickleIsRefusedWithTheConversion() {
    #expect(
      sentence(["config.json", "pytorch_model.bin"], .model)
        == "toy/tiny has its weights only as a pickle (pytorch_model.bin), which can run code when loaded; Jay reads "
        + "safetensors only. Fetch it, 'hf download toy/tiny --local-dir FOLDER', and name FOLDER as the model: Jay then says "
        + "how to convert it.")
  }

  @Test func aRepositoryWithoutWeights() {
    #expect(
      sentence(["config.json"], .model)
        == "toy/tiny has no model.safetensors and no model.safetensors.index.json. Name a model in Hugging Face format."
    )
  }

  @Test func aRepositoryWithoutTokenizer() {
    #expect(
      sentence(["config.json"], .tokenizer)
        == "toy/tiny has no tokenizer file (tokenizer.json, vocab.txt, spiece.model). Name another in model.tokenizer.")
  }

  @Test func parquetIsRefusedWithTheConversion() {
    #expect(
      sentence(["data/train.parquet"], .data)
        == "toy/tiny has its data only as parquet (data/train.parquet), which Jay does not read. Convert each file once in "
        + "Python, pandas.read_parquet(\"x.parquet\").to_json(\"x.jsonl\", orient=\"records\", lines=True), and describe them "
        + "in a stream.json beside them.")
  }

  @Test func aDataSetWithoutData() {
    #expect(
      sentence(["README.md"], .data)
        == "toy/tiny has no data that Jay reads: .jsonl, .csv or .tsv, also .gz. Name another data set.")
  }

  @Test func weightsComeLast() {
    #expect(
      sentence(["model.safetensors", "config.json", "tokenizer.json", "x.h5"], .model)
        == "config.json tokenizer.json model.safetensors")
  }

  /// A snapshot with a vocabulary then has all that is read with it.
  @Test func vocabulariesComeBehindWhatIsReadWithThem() {
    let listed = [
      "added_tokens.json", "config.json", "merges.txt", "model.safetensors", "special_tokens_map.json",
      "tokenizer.json", "tokenizer_config.json", "vocab.json",
    ]
    let order =
      "config.json tokenizer_config.json special_tokens_map.json added_tokens.json merges.txt tokenizer.json vocab.json"
    #expect(sentence(listed, .tokenizer) == order)
    #expect(sentence(listed, .model) == order + " model.safetensors")
    #expect(sentence(["merges.txt"], .tokenizer).hasPrefix("toy/tiny has no tokenizer file"))
  }

  @Test func anIndexThatNamesAbsentFilesIsRefused() throws {
    var files = PlayedHub.tinyModel
    files["model.safetensors"] = nil
    files["model.safetensors.index.json"] = Data(#"{"weight_map": {"a": "gone.safetensors"}}"#.utf8)
    #expect(
      try PlayedHub(files).sentence()
        == "model.safetensors.index.json of toy/tiny cannot be read, or names files that are not there. Name another revision."
    )
  }
}
