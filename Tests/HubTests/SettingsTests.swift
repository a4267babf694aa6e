import Foundation
import Hub
import Testing

@Suite struct SettingsTests {
  private let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")

  private func settings(_ environment: [String: String]) -> HubSettings {
    HubSettings(environment: environment, home: home)
  }

  @Test func withoutVariablesThePythonLibrarysPlaces() {
    let plain = settings([:])
    #expect(plain.cache.path == home.path + "/.cache/huggingface/hub")
    #expect(plain.endpoint == "https://huggingface.co" && plain.token == nil && !plain.isOffline)
  }

  @Test func variablesMeanWhatTheyMeanInPython() {
    #expect(settings(["HF_HOME": "/x"]).cache.path == "/x/hub")
    #expect(settings(["HF_HOME": "~/x"]).cache.path == home.path + "/x/hub")
    #expect(settings(["XDG_CACHE_HOME": "/y"]).cache.path == "/y/huggingface/hub")
    #expect(settings(["HF_HOME": "/x", "HF_HUB_CACHE": "/z"]).cache.path == "/z")
    #expect(settings(["HF_ENDPOINT": "http://mirror/"]).endpoint == "http://mirror")
    #expect(settings(["HF_TOKEN": " hf_a\n"]).token == "hf_a")
    for yes in ["1", "true", "YES", "on"] { #expect(settings(["HF_HUB_OFFLINE": yes]).isOffline) }
    for no in ["", "0", "no"] { #expect(!settings(["HF_HUB_OFFLINE": no]).isOffline) }
  }

  @Test func theTokenOfTheLoginIsRead() throws {
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: home) }
    try Data("hf_file\n".utf8).write(to: home.appendingPathComponent("token"))
    #expect(settings(["HF_HOME": home.path]).token == "hf_file")
    #expect(settings(["HF_HOME": home.path, "HF_TOKEN": "hf_a"]).token == "hf_a")
  }

  @Test func anEndpointThatIsNoAddress() throws {
    let client = HubClient(HubSettings(endpoint: "here", cache: home))
    #expect(throws: HubError.badEndpoint("here")) { try client.snapshot(of: HubRepository("a/b"), .model) }
  }
}
