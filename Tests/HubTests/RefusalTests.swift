import Foundation
import Hub
import Testing

/// What the Hub refuses, in the words that the user reads.
@Suite struct RefusalTests {
  private func refusing(_ status: Int, _ code: String = "", on end: String = "/revision/main") throws -> PlayedHub {
    try PlayedHub(fault: { $0.path.hasSuffix(end) ? .refusal(status, code) : nil })
  }

  @Test func anUnknownRepository() throws {
    let played = try PlayedHub()
    #expect(
      played.sentence("toy/other")
        == "there is no model toy/other at HUB (404). Check the name, and whether it is a data set (--dataset); if you meant "
        + "a folder, check its path.")
    #expect(played.waits.all == [])
  }

  @Test func aRepositoryThatIsNotShown() throws {
    let played = try refusing(401, "RepoNotFound")
    let advice =
      "Check its name at HUB/toy/tiny. If it is private or gated, accept its conditions there and set HF_TOKEN to a token "
      + "that may read it; if you meant a folder, check its path."
    #expect(played.sentence() == "the Hub does not show the model toy/tiny to everyone (401). " + advice)
    #expect(played.sentence(token: "hf_x") == "the Hub does not show the model toy/tiny to this token (401). " + advice)
  }

  @Test func aGatedRepository() throws {
    let played = try refusing(403, "GatedRepo", on: "/config.json")
    #expect(
      played.sentence()
        == "the model toy/tiny is gated (403). Accept its conditions at HUB/toy/tiny and set HF_TOKEN to a token of your account."
    )
    #expect(
      played.sentence(token: "hf_x")
        == "the model toy/tiny is gated (403). Accept its conditions at HUB/toy/tiny, with the account of this token.")
  }

  @Test func anUnknownRevisionNamesThoseThereAre() throws {
    let played = try PlayedHub(fault: { request in
      if request.path.hasSuffix("/revision/v9") { return .refusal(404, "RevisionNotFound") }
      guard request.path.hasSuffix("/refs") else { return nil }
      return TestServer.Answer(body: Data(#"{"branches": [{"name": "main"}], "tags": [{"name": "v1"}]}"#.utf8))
    })
    #expect(played.sentence("toy/tiny@v9") == "the model toy/tiny has no revision 'v9' (404). It has: main, v1.")
  }

  @Test func aFileThatIsListedAndNotGiven() throws {
    let played = try refusing(404, "EntryNotFound", on: "/vocab.txt")
    #expect(
      played.sentence()
        == "toy/tiny lists vocab.txt but does not give it (404). Run the same command again; if that does not help, name "
        + "another revision.")
  }

  @Test func tooManyRequestsAreWaitedForAsLongAsTheHubSays() throws {
    let played = try PlayedHub(fault: { request in
      guard request.path.hasSuffix("/revision/main"), request.visit < 2 else { return nil }
      return request.visit == 0
        ? TestServer.Answer(status: 429, headers: ["Retry-After": "7"])
        : TestServer.Answer(status: 429, headers: ["RateLimit": #""api";r=0;t=55"#])
    })
    try played.model()
    #expect(played.waits.all == [7, 55])
  }

  @Test func aWaitThatIsTooLongIsSaid() throws {
    let played = try PlayedHub(fault: { _ in TestServer.Answer(status: 429, headers: ["Retry-After": "900"]) })
    let sentence =
      "the Hub asks to wait 900 s (429, too many requests). Run the same command again then: it goes on where it stood."
    #expect(played.sentence() == sentence + " With HF_TOKEN set, the limits are higher.")
    #expect(played.sentence(token: "hf_x") == sentence)
    #expect(played.waits.all == [])
  }

  @Test func aHubThatIsDownIsAskedAgain() throws {
    let played = try PlayedHub(fault: { $0.visit < 2 ? TestServer.Answer(status: 503) : nil })
    try played.model()
    #expect(played.waits.all.prefix(2) == [1, 2])
  }

  @Test func aHubThatStaysDownIsSaid() throws {
    let played = try refusing(503)
    #expect(
      played.sentence()
        == "HUB/api/models/toy/tiny/revision/main answers 503. Run the same command again later; what has come so far is kept."
    )
    #expect(played.hub.requests.count == 5)
  }

  @Test func aHubThatIsNotThereIsSaid() throws {
    let played = try PlayedHub()
    var client = played.client()
    client.settings.endpoint = "http://127.0.0.1:9"
    let error = #expect(throws: HubError.self) { try client.snapshot(of: HubRepository("a/b"), .model) }
    #expect(error?.description.hasPrefix("cannot reach http://127.0.0.1:9: ") == true)
    #expect(
      error?.description.hasSuffix(
        ". Check the network and run the same command again; --offline uses what is in the cache.") == true)
  }

  @Test func theTokenGoesToTheHubAndToNoOtherHost() throws {
    let played = try PlayedHub()
    try played.model(token: "hf_secret")
    #expect(played.hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
    #expect(played.store.requests.map { $0.headers["authorization"] } == [nil])
  }

  @Test func aRenamedRepositoryIsFollowedWithTheToken() throws {
    let played = try PlayedHub(fault: { request in
      guard request.path.contains("/toy/old/") else { return nil }
      return TestServer.Answer(
        status: 307, headers: ["Location": request.path.replacingOccurrences(of: "/toy/old/", with: "/toy/tiny/")])
    })
    let folder = try played.model("toy/old", token: "hf_secret")
    #expect(folder.path.contains("/models--toy--old/"))
    #expect(played.hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
  }

  @Test func aHubThatKeepsLargeFilesItselfIsFollowed() throws {
    let played = try PlayedHub(fault: { request in
      if request.path == "/raw" { return .file(PlayedHub.weights, request) }
      guard request.path.hasSuffix("/model.safetensors") else { return nil }
      let hash = "c12fb0010fbd782b0ffcb958d34a9cd29f9c42692ff2f8361f3379ddd0790932"
      return TestServer.Answer(
        status: 302, headers: ["Location": "/raw", "X-Linked-Etag": "\"\(hash)\"", "X-Linked-Size": "300000"])
    })
    let folder = try played.model()
    #expect(try Data(contentsOf: folder.appendingPathComponent("model.safetensors")) == PlayedHub.weights)
    #expect(played.hub.count("HEAD", "/raw") == 0)
  }

  @Test func signedAddressesThatExpiredAreAskedForAnew() throws {
    let played = try PlayedHub(storeFault: { $0.visit == 0 ? TestServer.Answer(status: 403) : nil })
    try played.model()
    #expect(played.hub.count("GET", "/model.safetensors") == 2)
  }

  @Test func noSignatureIsShown() throws {
    let played = try PlayedHub(fault: { request in
      guard request.method == "GET", request.path.hasSuffix("/config.json") else { return nil }
      return TestServer.Answer(status: 302, headers: ["Location": "http://localhost:9/x?signature=secret"])
    })
    #expect(!played.sentence().contains("secret"))
    let down = try PlayedHub(fault: { request in
      guard request.method == "GET", request.path.contains("/config.json") else { return nil }
      return request.path.hasSuffix("secret")
        ? TestServer.Answer(status: 500)
        : TestServer.Answer(status: 302, headers: ["Location": "/signed/config.json?signature=secret"])
    })
    #expect(
      down.sentence()
        == "HUB/signed/config.json answers 500. Run the same command again later; what has come so far is kept.")
  }

  @Test func redirectsInCirclesEnd() throws {
    let played = try PlayedHub(fault: { TestServer.Answer(status: 302, headers: ["Location": $0.path]) })
    #expect(
      played.sentence()
        == "HUB/api/models/toy/tiny/revision/main leads in circles. Check HF_ENDPOINT and your proxy.")
    #expect(played.hub.requests.count == 11)
  }

  @Test func aPageInPlaceOfTheHubIsSaid() throws {
    let played = try PlayedHub(fault: { _ in TestServer.Answer(body: Data("<html>".utf8)) })
    #expect(
      played.sentence()
        == "HUB/api/models/toy/tiny/revision/main does not answer as the Hub does: no commit and files in its JSON. Check "
        + "HF_ENDPOINT and your proxy.")
  }

  @Test func pathsThatLeadOutOfTheFolderAreRefused() throws {
    let played = try PlayedHub(fault: { _ in .listing(["config.json", "../../evil.json"]) })
    #expect(
      played.sentence()
        == "toy/tiny names a file '../../evil.json', whose path leads out of its folder. Nothing more is fetched; do not "
        + "trust it.")
  }

  /// Also where the file is there, and the snapshot looks whole.
  @Test(arguments: [
    ("model.safetensors.index.json", #"{"weight_map": {"a": "../../../evil"}}"#, HubRepository.Kind.model),
    ("stream.json", #"{"experiences": [{"train": "../../../evil"}]}"#, .dataset),
  ])
  func anIndexThatLeadsOutOfTheFolderIsRefused(_ name: String, _ index: String, _ kind: HubRepository.Kind) throws {
    let played = try PlayedHub(
      ["config.json": Data("{}".utf8), "vocab.txt": Data("[PAD]".utf8), name: Data(index.utf8)], kind: kind)
    let repository = try HubRepository("toy/tiny@\(PlayedHub.commit)", kind: kind)
    try Data().write(to: played.folder.appendingPathComponent("evil"))
    try FileManager.default.createDirectory(
      at: played.folder.appendingPathComponent("\(kind.rawValue)s--toy--tiny"), withIntermediateDirectories: true)
    try Data().write(to: played.folder.appendingPathComponent("\(kind.rawValue)s--toy--tiny/evil"))
    for isOffline in [false, false, true] {
      let error = #expect(throws: HubError.self) {
        try played.client(offline: isOffline).snapshot(of: repository, kind == .model ? .model : .data)
      }
      #expect(error == .unsafePath("../../../evil", repository))
    }
  }

  @Test func aTagThatLeadsOutOfTheFolderIsRefused() throws {
    let played = try PlayedHub(fault: { $0.method == "HEAD" ? TestServer.Answer(headers: ["ETag": "\"../x\""]) : nil })
    #expect(played.sentence().contains("does not answer as the Hub does: no ETag. "))
  }
}
