public import Foundation

/// Where models, data and runs lie. The command line fills it from the environment; nothing else reads that.
public struct Places: Sendable {
  /// Folder of installed models, one folder each.
  public var models: URL
  /// Folder of development data (`cl15/`, …).
  public var data: URL
  /// Folder of the registry of data sets.
  public var home: URL
  public var runs: URL

  public init(models: URL, data: URL, home: URL, runs: URL) {
    (self.models, self.data, self.home, self.runs) = (models, data, home, runs)
  }

  /// The directory of a model by path or by name.
  func model(_ name: String) throws -> URL {
    let path = URL(fileURLWithPath: name)
    let candidates = [path, models.appendingPathComponent(name)]
    for candidate in candidates
    where FileManager.default.fileExists(atPath: candidate.appendingPathComponent("config.json").path) {
      return candidate
    }
    if FileManager.default.fileExists(atPath: path.path) { return path }
    throw PlaceError.noModel(name, models: models.path)
  }
}

extension Places {
  /// The folder of a tokenizer: a path, an installed model, or one of the development data's.
  func tokenizer(_ name: String) throws -> URL {
    let candidates = [URL(fileURLWithPath: name), models.appendingPathComponent(name)]
    let found = (candidates + [data.appendingPathComponent("tokenizers/\(name)")]).first {
      FileManager.default.fileExists(atPath: $0.path)
    }
    guard let found else { throw PlaceError.noTokenizer(name) }
    return found
  }
}

/// Something named in a recipe that is nowhere to be found.
public enum PlaceError: LocalizedError, CustomStringConvertible {
  case noModel(String, models: String)
  case noTokenizer(String)
  case noData(String, path: String)
  case noDevice(String)

  public var description: String {
    switch self {
    case .noModel(let name, let models):
      "there is no model '\(name)': neither a folder of that path, nor in \(models). Name a model directory in Hugging Face "
        + "format, or set JAY_MODELS to the folder of your models; './jay demo' installs minilm."
    case .noTokenizer(let name):
      "there is no tokenizer '\(name)': neither a folder of that path, nor an installed model. Name the folder that holds "
        + "its tokenizer.json, vocab.txt or spiece.model in model.tokenizer."
    case .noData(let name, let path):
      "the data of '\(name)' are not at \(path). Name their folder in stream.folder, or set JAY_DATA to the folder that holds "
        + "\(name)."
    case .noDevice(let name):
      "there is no device '\(name)' here. Use device: cpu, or install a libtorch with that device (JAY_TORCH)."
    }
  }
  public var errorDescription: String? { description }
}
