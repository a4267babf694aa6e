public import Foundation
public import Hub

/// Where models, data and runs lie. The command line fills it from the environment, which nothing here reads.
public struct Places: Sendable {
  /// Folder of installed models, one folder each.
  public var models: URL
  /// Folder of development data (`cl15/`, …).
  public var data: URL
  /// Folder of the registry of data sets.
  public var home: URL
  public var runs: URL
  /// What gives models and data sets by their name on the Hub; `nil` for what lies here alone.
  public var hub: HubClient?

  public init(models: URL, data: URL, home: URL, runs: URL, hub: HubClient? = nil) {
    (self.models, self.data, self.home, self.runs, self.hub) = (models, data, home, runs, hub)
  }

  /// The directory of a model by path or by name, of an installed one or on the Hub.
  func model(_ name: String) throws -> URL {
    let path = URL(fileURLWithPath: name)
    let candidates = [path, models.appendingPathComponent(name)]
    for candidate in candidates
    where FileManager.default.fileExists(atPath: candidate.appendingPathComponent("config.json").path) {
      return candidate
    }
    if FileManager.default.fileExists(atPath: path.path) { return path }
    if let found = try onHub(name, .model) { return found }
    throw PlaceError.noModel(name, models: models.path)
  }
}

extension Places {
  /// The folder of a tokenizer: a path, an installed model, one of the development data's, or a model of the Hub.
  func tokenizer(_ name: String) throws -> URL {
    let candidates = [URL(fileURLWithPath: name), models.appendingPathComponent(name)]
    let found = (candidates + [data.appendingPathComponent("tokenizers/\(name)")]).first {
      FileManager.default.fileExists(atPath: $0.path)
    }
    if let found, (try? found.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == false {
      throw PlaceError.tokenizerIsFile(name)
    }
    if let found = try found ?? onHub(name, .tokenizer) { return found }
    throw PlaceError.noTokenizer(name)
  }

  /// The folder of a stream: a path, or `hub:owner/name` for a data set of the Hub that has a `stream.json`.
  func stream(_ folder: String) throws -> URL {
    guard let found = try onHub(folder, .data) else { return URL(fileURLWithPath: folder) }
    guard FileManager.default.fileExists(atPath: found.appendingPathComponent("stream.json").path) else {
      throw HubError.noStreamFile(try Self.repository(folder, .dataset), folder: found.path)
    }
    return found
  }
}

extension Places {
  private static let mark = "hub:"

  /// The folder of what a name means on the Hub; `nil` for one that means nothing there. A model is meant by
  /// `owner/name`, all else by a leading `hub:`, since most words and paths are something else.
  private func onHub(_ name: String, _ contents: HubContents) throws -> URL? {
    let isMeant = name.hasPrefix(Self.mark) || (contents != .data && HubRepository.looksLikeOne(name))
    guard let hub, isMeant else { return nil }
    return try hub.snapshot(of: Self.repository(name, contents == .data ? .dataset : .model), contents)
  }

  private static func repository(_ name: String, _ kind: HubRepository.Kind) throws -> HubRepository {
    try HubRepository(name.hasPrefix(mark) ? String(name.dropFirst(mark.count)) : name, kind: kind)
  }
}

/// Something named in a recipe that is nowhere to be found.
public enum PlaceError: LocalizedError, CustomStringConvertible {
  case noModel(String, models: String)
  case noTokenizer(String)
  case tokenizerIsFile(String)
  case noData(String, path: String)
  case noDevice(String)

  public var description: String {
    switch self {
    case .noModel(let name, let models):
      "there is no model '\(name)': neither a folder of that path, nor in \(models). Name a model directory in Hugging Face "
        + "format, or one of the Hub (owner/name, or hub:name where it has no owner), or set JAY_MODELS to the folder of your "
        + "models; './jay demo' installs minilm."
    case .noTokenizer(let name):
      "there is no tokenizer '\(name)': neither a folder of that path, nor an installed model. Name the folder that holds "
        + "its tokenizer.json, vocab.txt or spiece.model in model.tokenizer."
    case .tokenizerIsFile(let name):
      "model.tokenizer '\(name)' is a file. Name the folder that holds it, with no other tokenizer beside it."
    case .noData(let name, let path):
      "the data of '\(name)' are not at \(path). Name their folder in stream.folder, or set JAY_DATA to the folder that holds "
        + "\(name)."
    case .noDevice(let name):
      "there is no device '\(name)' here. Use device: cpu, or install a libtorch with that device (JAY_TORCH)."
    }
  }
  public var errorDescription: String? { description }
}
