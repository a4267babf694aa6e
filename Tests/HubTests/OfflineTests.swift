import Foundation
import Hub
import Testing

@Suite struct OfflineTests {
  @Test func offlineOpensNoSocket() throws {
    let played = try PlayedHub()
    #expect(throws: HubError.self) { try played.client(offline: true).snapshot(of: HubRepository("toy/tiny"), .model) }
    #expect(played.hub.requests.isEmpty)
    let folder = try played.model()
    let asked = played.hub.requests.count
    #expect(
      try played.client(offline: true).snapshot(of: HubRepository("toy/tiny"), .model, asksFirst: true) == folder)
    #expect(played.hub.requests.count == asked)
  }

  @Test func whatIsMissingIsNamedWithTheCommandThatFetchesIt() throws {
    let played = try PlayedHub()
    _ = try played.client().snapshot(of: HubRepository("toy/tiny"), .tokenizer)
    let client = played.client(offline: true)
    let partial = #expect(throws: HubError.self) { try client.snapshot(of: HubRepository("toy/tiny"), .model) }
    #expect(
      partial?.description
        == "the model toy/tiny is not whole in \(played.folder.path) (missing: model.safetensors), and offline nothing is "
        + "fetched. Where there is a network, run 'jay download toy/tiny'.")
    let data = try HubRepository("toy/data@v2", kind: .dataset)
    let absent = #expect(throws: HubError.self) { try client.snapshot(of: data, .data) }
    #expect(
      absent?.description
        == "the data set toy/data@v2 is not whole in \(played.folder.path) (missing: stream.json), and offline nothing is "
        + "fetched. Where there is a network, run 'jay download toy/data@v2 --dataset'.")
  }

  @Test func aModelWithoutATokenizerIsWhole() throws {
    let played = try PlayedHub(PlayedHub.tinyModel.filter { $0.key != "vocab.txt" })
    let folder = try played.model()
    let asked = played.hub.requests.count
    #expect(try played.client(offline: true).snapshot(of: HubRepository("toy/tiny"), .model) == folder)
    #expect(try played.model() == folder, "nor is the Hub asked where there is a network")
    #expect(played.hub.requests.count == asked)
    let tokenizer = #expect(throws: HubError.self) {
      try played.client(offline: true).snapshot(of: HubRepository("toy/tiny"), .tokenizer)
    }
    #expect(tokenizer?.description.contains("(missing: a tokenizer)") == true)
  }

  @Test func aTokenizerThatWasNotFetchedIsMissing() throws {
    let played = try PlayedHub()
    let folder = try played.model()
    try FileManager.default.removeItem(at: folder.appendingPathComponent("vocab.txt"))
    let error = #expect(throws: HubError.self) {
      try played.client(offline: true).snapshot(of: HubRepository("toy/tiny"), .model)
    }
    #expect(error?.description.contains("(missing: a tokenizer)") == true)
  }

  @Test func aSnapshotOfThePythonLibraryIsUsed() throws {
    let played = try PlayedHub()
    let home = played.folder.appendingPathComponent("models--toy--tiny")
    let snapshot = home.appendingPathComponent("snapshots/\(PlayedHub.commit)")
    for folder in [home.appendingPathComponent("blobs"), home.appendingPathComponent("refs"), snapshot] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    try Data(PlayedHub.commit.utf8).write(to: home.appendingPathComponent("refs/v1.0"))
    for (name, data) in PlayedHub.tinyModel {
      try data.write(to: home.appendingPathComponent("blobs/\(name)-etag"))
      try FileManager.default.createSymbolicLink(
        atPath: snapshot.appendingPathComponent(name).path, withDestinationPath: "../../blobs/\(name)-etag")
    }
    #expect(try played.model("toy/tiny@v1.0").path == snapshot.path)
    #expect(played.hub.requests.isEmpty)
  }
}
