public import Foundation

/// A model or a data set that the Hub does not give, or that cannot be kept.
public enum HubError: LocalizedError, CustomStringConvertible, Equatable {
  /// What is asked for.
  case badName(String)
  case badRevision(String, String)
  case badEndpoint(String)

  /// What the Hub answers.
  case notShown(HubRepository, endpoint: String, hasToken: Bool)
  case gated(HubRepository, endpoint: String, hasToken: Bool)
  case noRepository(HubRepository, endpoint: String)
  case noRevision(HubRepository, known: [String])
  case noFile(String, HubRepository)
  case tooManyRequests(seconds: Int, hasToken: Bool)
  case unexpectedStatus(Int, url: String)
  case notAHub(url: String, String)
  case tooManyRedirects(url: String)
  case unsafeRedirect(url: String)

  /// What happens on the way.
  case unreachable(url: String, String)
  case cut(String, HubRepository, bytes: Int64, String)
  case wrongSize(String, HubRepository, expected: Int64, found: Int64)
  case wrongHash(String, HubRepository, expected: String, found: String)
  case unsafePath(String, HubRepository)
  case interrupted

  /// What is on the disk.
  case noSpace(path: String, needed: Int64, free: Int64)
  case cannotWrite(path: String, code: Int32)
  case offline(HubRepository, cache: String, missing: [String])

  /// What the repository holds.
  case onlyPickle(HubRepository, String)
  case noWeights(HubRepository)
  case noTokenizer(HubRepository)
  case onlyParquet(HubRepository, String)
  case noData(HubRepository)
  case noStreamFile(HubRepository, folder: String)
  case badIndex(String, HubRepository)

  public var errorDescription: String? { description }
}
