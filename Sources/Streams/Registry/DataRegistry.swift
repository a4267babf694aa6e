public import Foundation

/// Stream folders that a user registered under names, kept in `data.json` of a home folder.
public struct DataRegistry: Sendable {
  /// One registered folder.
  public struct Entry: Sendable, Hashable, Codable {
    /// The name it was registered under.
    public let name: String
    /// Absolute path of the folder that holds the `stream.json`.
    public let path: String

    /// The folder as a URL.
    public var folder: URL { URL(fileURLWithPath: path, isDirectory: true) }
  }

  /// The file that keeps the list.
  public let file: URL

  /// A registry whose list lies in this folder; nothing is written before the first `add`.
  public init(home: URL) { file = home.appendingPathComponent("data.json") }

  /// The registered folders, by name; none if nothing was registered yet.
  public func list() throws -> [Entry] {
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    do {
      return try JSONDecoder().decode([Entry].self, from: Data(contentsOf: file)).sorted { $0.name < $1.name }
    } catch {
      throw DataRegistryError.unreadable(file: file.path)
    }
  }

  /// Registers a folder whose `stream.json` and files can be read, and returns its stream.
  /// - Throws: `DataRegistryError.badName` or `.nameTaken`, or `DataError` with all that is wrong in the folder.
  @discardableResult
  public func add(_ name: String, folder: URL) throws -> TaskStream {
    let isTrimmed = name.first?.isWhitespace == false && name.last?.isWhitespace == false
    guard isTrimmed, !name.contains("/") else { throw DataRegistryError.badName(name) }
    let entries = try list()
    if entries.contains(where: { $0.name == name }) || StreamIndex.entries.contains(where: { $0.name == name }) {
      throw DataRegistryError.nameTaken(name)
    }
    let stream = try StreamLoader.load(folder)
    try write(entries + [Entry(name: name, path: folder.absoluteURL.standardizedFileURL.path)])
    return stream
  }

  /// Forgets a name; the folder itself stays.
  public func remove(_ name: String) throws {
    let entry = try entry(name)
    try write(list().filter { $0 != entry })
  }

  /// The folder registered under a name.
  public func entry(_ name: String) throws -> Entry {
    let entries = try list()
    guard let found = entries.first(where: { $0.name == name }) else {
      throw DataRegistryError.unknown(name, known: entries.map(\.name))
    }
    return found
  }

  /// Loads the stream behind a name.
  public func stream(_ name: String) throws -> TaskStream {
    try StreamLoader.load(entry(name).folder)
  }

  /// Reads the data behind a name and reports counts, label balance and overlap of train and test.
  public func verify(_ name: String) throws -> StreamReport {
    StreamReport(try stream(name))
  }

  private func write(_ entries: [Entry]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try encoder.encode(entries.sorted { $0.name < $1.name }).write(to: file, options: .atomic)
    } catch {
      throw DataRegistryError.unwritable(file: file.path)
    }
  }
}

/// What can go wrong with the list of registered folders.
public enum DataRegistryError: Error, Sendable, Hashable {
  /// No name by which a recipe could ask for the data.
  case badName(String)
  case nameTaken(String)
  case unknown(String, known: [String])
  case unreadable(file: String)
  case unwritable(file: String)
}

extension DataRegistryError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .badName(let name):
      "\"\(name.spellingControls)\" cannot be the name of data; write at least one character, no \"/\", and no blank at "
        + "either end"
    case .nameTaken(let name): "data \"\(name)\" exists already; choose another name, or remove it first"
    case .unknown(let name, let known) where known.isEmpty:
      "no data is registered, so not \"\(name)\" either; add its folder first"
    case .unknown(let name, let known):
      "no data is registered as \"\(name)\"; the names are \(quotedList(known))"
    case .unreadable(let file): "\(file): not a list of registered folders; mend it, or delete it and add them again"
    case .unwritable(let file): "\(file): cannot be written; mend the permissions of its folder"
    }
  }

  public var errorDescription: String? { description }
}
