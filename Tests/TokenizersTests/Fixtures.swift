import Foundation
import Tokenizers

/// Files the tests read, found from the place of this file.
enum Fixtures {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let package = tests.deletingLastPathComponent().deletingLastPathComponent()

  static func goldenText(_ name: String) throws -> String {
    try String(contentsOf: tests.appendingPathComponent("Goldens/\(name)"), encoding: .utf8)
  }

  static func golden<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: tests.appendingPathComponent("Goldens/\(name)")))
  }

  /// MiniLM's folder; the tests that need it are skipped where it is absent.
  static let minilm = folder("JAY_MODELS", else: ".models").appendingPathComponent("minilm")

  /// The folder of development data.
  static let data = folder("JAY_DATA", else: "../shared/data")

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  private static func folder(_ variable: String, else path: String) -> URL {
    ProcessInfo.processInfo.environment[variable].map { URL(fileURLWithPath: $0) }
      ?? package.appendingPathComponent(path)
  }

  /// Runs `body` with a new folder that holds the given files.
  static func withFolder<T>(_ files: [String: String], _ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizers-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, content) in files {
      try Data(content.utf8).write(to: folder.appendingPathComponent(name))
    }
    return try body(folder)
  }

  /// A tokenizer of the given files.
  static func tokenizer(_ files: [String: String]) throws -> any Tokenizer {
    try withFolder(files) { try TokenizerLoader.load(from: $0) }
  }
}
