import CZlib
import Foundation
import Testing

@testable import Streams

/// A folder that disappears with the value.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  @discardableResult
  func write(_ text: String, to name: String) throws -> URL { try write(Data(text.utf8), to: name) }

  @discardableResult
  func write(_ data: Data, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
    return file
  }

  /// Writes gzip.
  @discardableResult
  func compress(_ text: String, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    let handle = try #require(gzopen(file.path, "wb6"))
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBytes { gzwrite(handle, $0.baseAddress, UInt32($0.count)) } == Int32(bytes.count))
    #expect(gzclose_w(handle) == Z_OK)
    return file
  }

  /// The problems that `body` throws, one sentence each, with the folder's path taken away.
  func problems(_ body: () throws -> Void) -> [String] {
    do {
      try body()
      return []
    } catch {
      return "\(error)".replacingOccurrences(of: url.path + "/", with: "").split(separator: "\n").map(String.init)
    }
  }
}

/// A dataset with so many examples of each class.
func dataset(_ counts: [Int], name: String = "toy") -> Dataset {
  let labels = counts.indices.map { "class \($0)" }
  let examples = counts.enumerated().flatMap { label, count in
    (0..<count).map { Example(id: "\(label)-\($0)", text: "text \(label) \($0)", label: label) }
  }
  return Dataset(name: name, labels: labels, examples: examples)
}

/// An experience with one training and one test example of each label.
func experience(_ name: String, _ labels: [String]) -> Experience {
  func split(_ split: String) -> Dataset {
    let examples = labels.indices.map { Example(id: "\(split) \($0)", text: "\(name) \(split) \($0)", label: $0) }
    return Dataset(name: "\(name)/\(split)", labels: labels, examples: examples)
  }
  return Experience(name: name, train: split("train"), test: split("test"))
}

/// The folder of development data, `JAY_DATA`; without it, one beside the package.
let dataFolder: URL = {
  if let path = ProcessInfo.processInfo.environment["JAY_DATA"] { return URL(fileURLWithPath: path) }
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  return root.deletingLastPathComponent().appendingPathComponent("shared/data")
}()

let cl15Folder = dataFolder.appendingPathComponent("cl15")
let hasCL15 = FileManager.default.fileExists(atPath: cl15Folder.appendingPathComponent("tasks.json").path)

let superNI15Folder = cl15Folder.deletingLastPathComponent().appendingPathComponent("superni15")
let hasSuperNI15 = FileManager.default.fileExists(atPath: superNI15Folder.appendingPathComponent("tasks.json").path)

let corporaFolder = dataFolder.appendingPathComponent("corpora")
let hasCorpora = FileManager.default.fileExists(atPath: corporaFolder.appendingPathComponent("domains.json").path)

let endTasksFolder = dataFolder.appendingPathComponent("endtasks")
let hasEndTasks = FileManager.default.fileExists(atPath: endTasksFolder.appendingPathComponent("tasks.json").path)
