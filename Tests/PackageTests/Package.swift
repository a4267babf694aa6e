import Foundation
import Testing

/// The package's folder and the Swift files in it.
enum Package {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The Swift files below `folder`, by their path from the root.
  static func files(_ folder: String) throws -> [String: String] {
    let base = root.appendingPathComponent(folder).path
    let paths = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? []
    return try Dictionary(
      uniqueKeysWithValues: paths.filter { $0.hasSuffix(".swift") }.map {
        ("\(folder)/\($0)", try String(contentsOfFile: "\(base)/\($0)", encoding: .utf8))
      })
  }

  /// What each target that is not a test depends on, as SwiftPM reads Package.swift.
  static func edges() throws -> [String: Set<String>] {
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("jay-manifest-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // A scratch folder of its own: the running `swift test` holds the lock of the usual one.
    process.arguments = [
      "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path, "dump-package",
    ]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let targets = try JSONDecoder().decode(Manifest.self, from: data).targets.filter { $0.type != "test" }
    return Dictionary(uniqueKeysWithValues: targets.map { ($0.name, Set($0.dependencies.compactMap(\.name))) })
  }
}

/// The part of `swift package dump-package` that tells who depends on whom.
private struct Manifest: Decodable {
  struct Target: Decodable {
    let name: String, type: String
    let dependencies: [Dependency]
  }
  /// `{"byName": ["NN", null]}`, `{"product": ["Yams", "Yams", null, null]}`, `{"target": ["NN", null]}`.
  struct Dependency: Decodable {
    let name: String?
    init(from decoder: any Decoder) throws {
      let kinds = try [String: [Element]](from: decoder)
      name = kinds.values.first?.first?.text
    }
  }
  /// A name, or a condition that does not matter here.
  struct Element: Decodable {
    let text: String?
    init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
  }
  let targets: [Target]
}
