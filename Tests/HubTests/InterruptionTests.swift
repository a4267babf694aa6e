import Foundation
import Testing

@testable import Hub

/// Connections that break, and what is left of them.
@Suite struct InterruptionTests {
  private let blob = "models--toy--tiny/blobs/c12fb0010fbd782b0ffcb958d34a9cd29f9c42692ff2f8361f3379ddd0790932"

  private func cut(_ bytes: Int, visits: Range<Int>) -> PlayedHub.Fault {
    { request in
      guard visits.contains(request.visit) else { return nil }
      var answer = TestServer.Answer.file(PlayedHub.weights, request)
      answer.cut = bytes
      return answer
    }
  }

  @Test func aCutConnectionGoesOnWhereItBroke() throws {
    let played = try PlayedHub(storeFault: cut(100_000, visits: 0..<2))
    let folder = try played.model()
    #expect(try Data(contentsOf: folder.appendingPathComponent("model.safetensors")) == PlayedHub.weights)
    #expect(played.store.requests.map { $0.headers["range"] } == [nil, "bytes=100000-299999", "bytes=200000-299999"])
    #expect(played.waits.all == [1, 2])
  }

  @Test func afterTheLastAttemptTheSameCommandGoesOn() throws {
    let played = try PlayedHub(storeFault: cut(10_000, visits: 0..<5))
    let sentence = played.sentence()
    #expect(sentence.hasPrefix("the download of model.safetensors of toy/tiny broke off at 50.0 kB: "))
    #expect(sentence.hasSuffix(". Run the same command again: it goes on where it stood."))
    #expect(played.waits.all == [1, 2, 4, 8])
    #expect(try played.entries("models--toy--tiny/blobs").contains { $0.hasSuffix(".incomplete") })
    try played.model()
    #expect(played.store.requests.last?.headers["range"] == "bytes=50000-299999")
    #expect(try played.entries("models--toy--tiny/blobs").allSatisfy { !$0.hasSuffix(".incomplete") })
  }

  @Test func bytesThatCameMakeFailuresCountAnew() throws {
    let played = try PlayedHub(storeFault: cut(20_000, visits: 0..<14))
    var client = played.client()
    client.retry.worthwhile = 20_000
    _ = try client.snapshot(of: HubRepository("toy/tiny"), .model)
    #expect(played.waits.all == Array(repeating: 1, count: 14))
  }

  @Test func aLargeFileComesInPartsEachWithItsOwnAttempts() throws {
    let played = try PlayedHub(storeFault: cut(60_000, visits: 1..<2))
    var client = played.client()
    client.part = 100_000
    let folder = try client.snapshot(of: HubRepository("toy/tiny"), .model)
    #expect(try Data(contentsOf: folder.appendingPathComponent("model.safetensors")) == PlayedHub.weights)
    #expect(
      played.store.requests.map { $0.headers["range"] } == [
        "bytes=0-99999", "bytes=100000-199999", "bytes=160000-259999", "bytes=260000-299999",
      ])
    #expect(played.waits.all == [1])
  }

  @Test func aServerThatKnowsNoRangesSendsAllAnew() throws {
    let whole: PlayedHub.Fault = { request in
      TestServer.Answer(body: PlayedHub.weights, cut: request.visit == 0 ? 100_000 : nil)
    }
    let played = try PlayedHub(storeFault: whole)
    let folder = try played.model()
    #expect(try Data(contentsOf: folder.appendingPathComponent("model.safetensors")) == PlayedHub.weights)
  }

  @Test func anotherPartThanTheOneAskedForIsNotTaken() throws {
    let shifted: PlayedHub.Fault = { request in
      switch request.visit {
      case 0: TestServer.Answer(body: PlayedHub.weights, cut: 100_000)
      case 1:
        TestServer.Answer(
          status: 206, headers: ["Content-Range": "bytes 5-299999/300000"], body: PlayedHub.weights.dropFirst(5))
      default: nil
      }
    }
    let played = try PlayedHub(storeFault: shifted)
    let folder = try played.model()
    #expect(try Data(contentsOf: folder.appendingPathComponent("model.safetensors")) == PlayedHub.weights)
    #expect(played.store.requests.map { $0.headers["range"] } == [nil, "bytes=100000-299999", nil])
  }

  @Test func aRefusedRangeStartsOver() throws {
    let played = try PlayedHub(
      storeFault: { $0.headers["range"] == nil ? nil : TestServer.Answer(status: 416) })
    try played.model("toy/tiny")
    let left = played.folder.appendingPathComponent(blob)
    try FileManager.default.removeItem(at: played.folder.appendingPathComponent("models--toy--tiny/snapshots"))
    try FileManager.default.moveItem(at: left, to: left.appendingPathExtension("incomplete"))
    let handle = try FileHandle(forWritingTo: left.appendingPathExtension("incomplete"))
    try handle.truncate(atOffset: 100)
    try handle.close()
    try played.model()
    #expect(played.store.requests.map { $0.headers["range"] } == [nil, "bytes=100-299999", nil])
  }

  @Test func damagedBytesAreDeleted() throws {
    let damaged: PlayedHub.Fault = { _ in TestServer.Answer(body: Data(repeating: 7, count: 300_000)) }
    let played = try PlayedHub(storeFault: damaged)
    #expect(
      played.sentence()
        == "model.safetensors of toy/tiny came damaged: its hash is "
        + "08f166476de183f7a1b2874d544d37912aaf8d19b92013e1aafe233ba231024a, not "
        + "c12fb0010fbd782b0ffcb958d34a9cd29f9c42692ff2f8361f3379ddd0790932. The copy is deleted; run the same command again."
    )
    #expect(try played.entries("models--toy--tiny/blobs").count == 2)
  }

  @Test func aSmallFileIsCheckedByTheHashOfGit() throws {
    let played = try PlayedHub(fault: { request in
      guard request.method == "GET", request.path.hasSuffix("/vocab.txt") else { return nil }
      return TestServer.Answer(body: Data("[PAD]\n[UNKN]".utf8))
    })
    #expect(
      played.sentence()
        == "vocab.txt of toy/tiny came damaged: its hash is b5790c10eabd62211c1cf80b954cd8ede2d42781, not 9b63652e4599b6f141f83f77374ca035004e0c8f. "
        + "The copy is deleted; run the same command again.")
  }

  @Test func aFileOfAnotherSizeIsDeleted() throws {
    let short: PlayedHub.Fault = { _ in TestServer.Answer(body: Data(count: 5000)) }
    let played = try PlayedHub(storeFault: short)
    #expect(
      played.sentence()
        == "model.safetensors of toy/tiny should have 300000 bytes, and 5000 come. The copy is deleted; run the same "
        + "command again.")
    #expect(try played.entries("models--toy--tiny/blobs").count == 2)
  }

  @Test func aFileLargerThanTheDiskIsNotBegun() throws {
    let played = try PlayedHub(fault: { request in
      guard request.method == "HEAD", request.path.hasSuffix("/model.safetensors") else { return nil }
      return TestServer.Answer(
        status: 302, headers: ["X-Linked-Etag": "\"big\"", "X-Linked-Size": "4000000000000000000"])
    })
    let sentence = played.sentence()
    #expect(sentence.hasPrefix("CACHE has "))
    #expect(sentence.contains(" free, and 4000000.0 TB are still to come. Free some space, or set HF_HOME"))
    #expect(played.store.requests.isEmpty)
  }

  @Test func aFullDiskIsNamed() throws {
    let full = try PartialFile(URL(fileURLWithPath: "/dev/full"))
    #expect(throws: HubError.cannotWrite(path: "/dev/full", code: ENOSPC)) { try full.append(Data([1])) }
  }

  @Test func aWaitIsSaid() throws {
    let played = try PlayedHub(fault: { $0.visit == 0 ? TestServer.Answer(status: 503) : nil })
    let said = Log<String>()
    var client = played.client()
    client.say = { said.add($0) }
    _ = try client.snapshot(of: HubRepository("toy/tiny"), .tokenizer)
    #expect(
      said.all.first == "\(played.hub.address)/api/models/toy/tiny/revision/main answers 503; trying again in 1 s")
  }

  /// A commit never changes, so that its snapshot alone says whether it is whole.
  @Test(arguments: ["tokenizer_config.json", "merges.txt"])
  func aTokenizerOfACommitThatBrokeOffIsFetchedToTheEnd(_ file: String) throws {
    let files = [
      "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt", "config.json",
    ]
    let contents = Dictionary(uniqueKeysWithValues: files.map { ($0, Data($0.utf8)) })
    let played = try PlayedHub(
      contents,
      fault: {
        $0.method == "GET" && $0.visit == 0 && $0.path.hasSuffix("/\(file)") ? .refusal(404, "EntryNotFound") : nil
      })
    let repository = try HubRepository("toy/tiny@\(PlayedHub.commit)")
    #expect(throws: HubError.noFile(file, repository)) { try played.client().snapshot(of: repository, .tokenizer) }
    let folder = try played.client().snapshot(of: repository, .tokenizer)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == files.sorted())
  }

  @Test func aStopIsObeyedWhileBytesCome() throws {
    let played = try PlayedHub()
    let seen = Log<HubProgress>()
    var client = played.client()
    client.progress = { seen.add($0) }
    client.isCancelled = { seen.all.last?.file == "model.safetensors" && seen.all.last?.bytes != 0 }
    #expect(throws: HubError.interrupted) { _ = try client.snapshot(of: HubRepository("toy/tiny"), .model) }
    #expect(try played.entries("models--toy--tiny/blobs").contains { $0.hasSuffix(".incomplete") })
  }

  @Test func aStopIsObeyedWhileTheHubIsSilent() throws {
    let silent = try TestServer { _ in
      Thread.sleep(forTimeInterval: 1)
      return TestServer.Answer()
    }
    var client = HubClient(HubSettings(endpoint: silent.address, cache: FileManager.default.temporaryDirectory))
    client.isCancelled = { true }
    #expect(throws: HubError.interrupted) { _ = try client.snapshot(of: HubRepository("a/b"), .model) }
  }
}
