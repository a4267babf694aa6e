import Foundation
import Hub
import Testing

@Suite struct SnapshotTests {
  private let repository = "models--toy--tiny"

  @Test func theCacheIsLaidOutAsThePythonLibraryDoes() throws {
    let played = try PlayedHub()
    let folder = try played.model()
    #expect(folder.path == played.folder.appendingPathComponent("\(repository)/snapshots/\(PlayedHub.commit)").path)
    let blobs = [
      "config.json": "46332c50668921e90868a1d44a2550bb60ffdb1d",
      "vocab.txt": "9b63652e4599b6f141f83f77374ca035004e0c8f",
      "model.safetensors": "c12fb0010fbd782b0ffcb958d34a9cd29f9c42692ff2f8361f3379ddd0790932",
    ]
    #expect(try played.entries("\(repository)/blobs") == blobs.values.sorted())
    #expect(try played.entries("\(repository)/refs") == ["main"])
    let main = played.folder.appendingPathComponent("\(repository)/refs/main")
    #expect(try String(contentsOf: main, encoding: .utf8) == PlayedHub.commit)
    #expect(try played.entries(".locks/\(repository)") == blobs.values.map { "\($0).lock" }.sorted())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == blobs.keys.sorted())
    for (file, blob) in blobs {
      let link = folder.appendingPathComponent(file)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "../../blobs/\(blob)")
      #expect(try Data(contentsOf: link) == PlayedHub.tinyModel[file])
    }
  }

  @Test func aWholeSnapshotIsUsedWithoutAskingTheHub() throws {
    let played = try PlayedHub()
    let first = try played.model()
    let asked = played.hub.requests.count
    #expect(try played.model() == first)
    #expect(try played.model("toy/tiny@\(PlayedHub.commit)") == first)
    #expect(played.hub.requests.count == asked)
  }

  @Test func askingFirstFetchesNothingTwice() throws {
    let played = try PlayedHub()
    let first = try played.model()
    let asked = played.hub.requests.count
    #expect(try played.model(asksFirst: true) == first)
    #expect(played.hub.requests.dropFirst(asked).map(\.path) == ["/api/models/toy/tiny/revision/main"])
    #expect(played.store.requests.count == 1)
  }

  @Test func nothingThatRunsWhenLoadedIsFetched() throws {
    let files = PlayedHub.tinyModel.merging(["pytorch_model.bin": Data(), "pickle.pt": Data()]) { first, _ in first }
    let played = try PlayedHub(files)
    try played.model()
    for name in ["modeling.py", "pytorch_model.bin", "pickle.pt", "README.md"] {
      #expect(played.hub.count("HEAD", name) + played.hub.count("GET", name) == 0)
    }
  }

  @Test func theShardsThatTheIndexNamesAreFetchedBehindAnyPath() throws {
    var files = PlayedHub.tinyModel
    files["model.safetensors"] = nil
    files["model.safetensors.index.json"] = Data(
      #"{"weight_map": {"a": "one.safetensors", "b": "parts/two.safetensors"}}"#.utf8)
    files["one.safetensors"] = Data("1".utf8)
    files["parts/two.safetensors"] = Data("2".utf8)
    files["optimizer.safetensors"] = Data("3".utf8)
    let played = try PlayedHub(files)
    let folder = try played.model()
    #expect(try Data(contentsOf: folder.appendingPathComponent("parts/two.safetensors")) == Data("2".utf8))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(
        atPath: folder.appendingPathComponent("parts/two.safetensors").path
      ).hasPrefix("../../../blobs/"))
    #expect(played.hub.count("HEAD", "optimizer.safetensors") == 0)
    try FileManager.default.removeItem(at: folder.appendingPathComponent("one.safetensors"))
    try played.model()
    #expect(played.hub.count("HEAD", "one.safetensors") == 2)
  }

  @Test func aTokenizerComesWithoutWeights() throws {
    let played = try PlayedHub()
    let folder = try played.client().snapshot(of: HubRepository("toy/tiny"), .tokenizer)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["config.json", "vocab.txt"])
    try played.model()
    #expect(played.store.requests.count == 1)
  }

  @Test func ofADataSetTheFilesThatItsStreamNamesAreFetched() throws {
    let stream = #"{"name": "t", "experiences": [{"name": "a", "train": "a/train.jsonl", "test": "test.csv.gz"}]}"#
    let played = try PlayedHub(
      [
        "stream.json": Data(stream.utf8), "a/train.jsonl": Data("{}".utf8), "test.csv.gz": Data("z".utf8),
        "b.csv": Data(),
      ],
      name: "toy/tickets", kind: .dataset)
    let repository = try HubRepository("toy/tickets", kind: .dataset)
    let folder = try played.client().snapshot(of: repository, .data)
    #expect(folder.path.contains("/datasets--toy--tickets/snapshots/"))
    #expect(try played.entries("datasets--toy--tickets/snapshots/\(PlayedHub.commit)").contains("a/train.jsonl"))
    #expect(played.hub.count("HEAD", "b.csv") == 0)
    #expect(try played.client(offline: true).snapshot(of: repository, .data) == folder)
  }

  @Test func ofADataSetWithoutAStreamAllDataFilesAreFetched() throws {
    let played = try PlayedHub(
      ["train.jsonl": Data("{}".utf8), "test.tsv": Data("a".utf8), "load.py": Data(), "x.parquet": Data()],
      name: "toy/tickets", kind: .dataset)
    let folder = try played.client().snapshot(of: HubRepository("toy/tickets", kind: .dataset), .data)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["test.tsv", "train.jsonl"])
  }

  @Test func progressCountsEachFileToItsEnd() throws {
    let played = try PlayedHub()
    let seen = Log<HubProgress>()
    var client = played.client()
    client.progress = { seen.add($0) }
    _ = try client.snapshot(of: HubRepository("toy/tiny"), .model)
    let weights = seen.all.filter { $0.file == "model.safetensors" }
    #expect(weights.first?.bytes == 0 && weights.last?.bytes == 300_000)
    #expect(weights.allSatisfy { $0.total == 300_000 })
    #expect(zip(weights, weights.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
  }

  @Test func twoAtOnceFetchABlobOnce() async throws {
    let played = try PlayedHub()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 { group.addTask { try played.model() } }
      try await group.waitForAll()
    }
    #expect(played.store.requests.count == 1)
  }
}
