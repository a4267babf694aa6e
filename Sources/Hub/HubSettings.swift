public import Foundation

/// Where the Hub is, where its files are kept, and whether it may be asked.
public struct HubSettings: Sendable {
  /// Address of the Hub, with no slash at its end.
  public var endpoint: String
  /// Folder that holds `models--owner--name/` and the like.
  public var cache: URL
  /// Who asks; `nil` for anyone.
  public var token: String?
  /// Whether only the cache is used, and no socket opened.
  public var isOffline: Bool

  public init(
    endpoint: String = "https://huggingface.co", cache: URL, token: String? = nil, isOffline: Bool = false
  ) {
    (self.endpoint, self.cache, self.token, self.isOffline) = (endpoint, cache, token, isOffline)
    while self.endpoint.hasSuffix("/") { self.endpoint.removeLast() }
  }

  /// The same variables mean the same as for the Hub's Python library: `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`,
  /// `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`. `home` is the user's folder.
  public init(environment: [String: String], home: URL) {
    func folder(_ variable: String) -> URL? {
      guard let path = environment[variable], !path.isEmpty else { return nil }
      guard path == "~" || path.hasPrefix("~/") else { return URL(fileURLWithPath: path) }
      return URL(fileURLWithPath: home.path + path.dropFirst())
    }
    let caches = folder("XDG_CACHE_HOME") ?? home.appendingPathComponent(".cache")
    let base = folder("HF_HOME") ?? caches.appendingPathComponent("huggingface")
    let tokenFile = folder("HF_TOKEN_PATH") ?? base.appendingPathComponent("token")
    let token = environment["HF_TOKEN"] ?? (try? String(contentsOf: tokenFile, encoding: .utf8)) ?? ""
    let trimmed = token.trimmingCharacters(in: .whitespacesAndNewlines)
    self.init(
      endpoint: environment["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://huggingface.co",
      cache: folder("HF_HUB_CACHE") ?? base.appendingPathComponent("hub"), token: trimmed.isEmpty ? nil : trimmed,
      isOffline: ["1", "ON", "YES", "TRUE"].contains(environment["HF_HUB_OFFLINE"]?.uppercased() ?? ""))
  }
}
