import Foundation
import TestSupport
import Torch

@testable import Recipes

/// A folder that disappears with the value.
final class Scratch: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  var places: Places {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return Places(
      models: root.appendingPathComponent("Goldens"), data: url, home: url.appendingPathComponent("home"), runs: url)
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }

  /// JSON lines of so many examples, whose text names their label.
  @discardableResult
  func examples(_ labels: [String], _ count: Int, salt: String, to name: String) throws -> URL {
    let lines = (0..<count).map {
      #"{"text": "the \#(labels[$0 % labels.count]) \#(salt) \#($0)", "label": "\#(labels[$0 % labels.count])"}"#
    }
    return try write(lines.joined(separator: "\n") + "\n", to: name)
  }

  /// Path of a copy of `bert-tiny` with dropout, which it has none of.
  func droppingModel() throws -> String {
    let folder = url.appendingPathComponent("bert-dropping")
    if FileManager.default.fileExists(atPath: folder.path) { return folder.path }
    try Golden.writeDropping(0.1, to: folder)
    return folder.path
  }

  /// The sentence that `body` throws, with this folder's path taken away.
  func sentence(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch { return "\(error)".replacingOccurrences(of: url.path + "/", with: "") }
  }
}

/// A finished run of two tiny experiences on a tiny encoder.
struct TinyRun {
  /// How the labels of the experiences relate, and whether predictions are told their task.
  enum Kind: CaseIterable { case separate, shared, untold }

  let scratch: Scratch
  let folder: URL
  var places: Places { scratch.places }
  var directory: RunDirectory { RunDirectory(folder) }

  /// A copy of the run of its kind, which is trained once.
  init(_ kind: Kind = .separate) throws {
    scratch = try Scratch()
    folder = scratch.url.appendingPathComponent("run")
    let original: Scratch =
      switch kind {
      case .separate: try Self.separate.get()
      case .shared: try Self.shared.get()
      case .untold: try Self.untold.get()
      }
    try FileManager.default.copyItem(at: original.url.appendingPathComponent("run"), to: folder)
  }

  /// A run of a method on a model with dropout, trained for this value.
  init(method: String) throws {
    scratch = try Self.train(.separate, method: method, drops: true)
    folder = scratch.url.appendingPathComponent("run")
  }

  /// A copy of another run, with data and all.
  init(copying other: TinyRun) throws {
    scratch = try Scratch()
    folder = scratch.url.appendingPathComponent("run")
    try FileManager.default.copyItem(at: other.folder, to: folder)
  }

  private static let separate = Result { try train(.separate) }
  private static let shared = Result { try train(.shared) }
  private static let untold = Result { try train(.untold) }

  private static func train(_ kind: Kind, method: String = "migu", drops: Bool = false) throws -> Scratch {
    let scratch = try Scratch()
    let model = drops ? try scratch.droppingModel() : "bert-tiny"
    let labels = kind == .shared ? [["cat", "dog"], ["cat", "dog"]] : [["cat", "dog"], ["film", "book"]]
    for (name, labels) in zip(["one", "two"], labels) {
      try scratch.examples(labels, 24, salt: "ran on \(name)", to: "stream/\(name)-train.jsonl")
      try scratch.examples(labels, 8, salt: "sat in \(name)", to: "stream/\(name)-test.jsonl")
    }
    try scratch.write(
      """
      {"name": "tiny", "taskLabelAtTest": \(kind == .separate), "sharedLabels": \(kind == .shared), "experiences": [
        {"name": "one", "train": "one-train.jsonl", "test": "one-test.jsonl"},
        {"name": "two", "train": "two-train.jsonl", "test": "two-test.jsonl"}]}
      """, to: "stream/stream.json")
    let recipe = try Recipe(
      yaml: """
        model: "\(model)"
        stream: {name: folder, folder: "\(scratch.url.path)/stream"}
        methods: [\(method)]
        training: {epochs: 2, batchSize: 4, maxTokens: 32, learningRate: 1e-3, logEvery: 1}
        """, name: "tiny")
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    try runner.run(recipe, in: scratch.url.appendingPathComponent("run"), start: .new)
    return scratch
  }

  var runner: Runner {
    var runner = Runner(places: places)
    runner.isQuiet = true
    return runner
  }
}
