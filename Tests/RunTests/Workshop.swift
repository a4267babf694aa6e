import Evaluation
import Foundation
import TestSupport
import Testing
import Torch

/// A temporary folder with a tiny model, a stream of three tasks and a recipe, as a user would have them.
final class Workshop {
  let url: URL
  private(set) var outcomes = 0

  init(methods: String = "[migu]", training: String = "precision: fp32") throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("jay-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url["stream"], withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: url["model"], withIntermediateDirectories: true)
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"] {
      try FileManager.default.copyItem(at: Golden.url("bert-tiny/\(name)"), to: url["model/\(name)"])
    }
    try writeStream()
    // Records are rarer than checkpoints, so that a resume begins between two of them.
    try write(
      """
      model: {name: model, dropout: 0.1}
      stream: {name: folder, folder: stream, validationShare: 0.2}
      methods: \(methods)
      training: {epochs: 2, batchSize: 4, learningRate: 1e-2, checkpointSteps: 2, logEvery: 3, \(training)}
      """, to: "recipe.yaml")
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  private func writeStream() throws {
    var generator = Generator(seed: 1)
    let words = "the cat dog bird film book is was not very red blue ran sat on in to of and it he we so"
      .split(separator: " ")
    let tasks = ["one", "two", "three"]
    for task in tasks {
      for (split, count) in [("train", 22), ("test", 10)] {
        let lines = (0..<count).map { row in
          let isGood = generator.next() % 2 == 0
          let text = (0..<3 + generator.next() % 6).map { _ in words[Int(generator.next() % UInt64(words.count))] }
          let words = "\(task) \(text.joined(separator: " ")) \(isGood ? "good" : "bad") \(row)"
          return #"{"text": "\#(words)", "label": "\#(isGood ? "yes" : "no")"}"#
        }
        try write(lines.joined(separator: "\n") + "\n", to: "stream/\(task)-\(split).jsonl")
      }
    }
    let entries = tasks.map {
      #"{"name": "\#($0)", "train": "\#($0)-train.jsonl", "test": "\#($0)-test.jsonl", "labels": ["no", "yes"]}"#
    }
    try write(#"{"name": "tiny", "experiences": [\#(entries.joined(separator: ", "))]}"#, to: "stream/stream.json")
  }

  func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: url[path]) }

  /// Changes a file's text.
  func edit(_ path: String, _ change: (String) -> String) throws {
    try write(change(String(contentsOf: url[path], encoding: .utf8)), to: path)
  }

  func start(_ arguments: String...) throws -> Jay.Running {
    try Jay.start(["run"] + arguments + ["--threads", "1"], in: url)
  }

  /// Runs to the end.
  @discardableResult func run(_ arguments: String...) throws -> Jay.Outcome {
    try Jay.start(["run"] + arguments + ["--threads", "1"], in: url).wait()
  }

  /// A run that was killed once it had a checkpoint.
  func killedRun(_ out: String, _ options: String..., after checkpoint: String = "0000-00000002") throws {
    let arguments = ["run", "recipe.yaml", "--out", out] + options
    let process = try Jay.start(arguments + ["--threads", "1"], in: url)
    while process.isRunning, !exists("\(out)/checkpoints/\(checkpoint)") { usleep(500) }
    process.send(SIGKILL)
    _ = try process.wait()
    try #require(!exists("\(out)/summary.json"), "the run was over before it could be killed")
  }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url[path].path) }
  func names(_ path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url[path].path)) ?? []).sorted()
  }
  func data(_ path: String) throws -> Data { try Data(contentsOf: url[path]) }

  /// What two runs that are the same share to the bit.
  struct Result: Equatable {
    var matrix = Data()
    var files: [String: Data] = [:]
    var steps: [StepRecord] = []
  }

  func result(_ out: String) throws -> Result {
    var result = Result()
    result.matrix = try data("\(out)/matrix.json")
    let checkpoint = try #require(names("\(out)/checkpoints").filter { !$0.hasPrefix(".") }.last)
    for name in names("\(out)/checkpoints/\(checkpoint)") where name.hasSuffix(".safetensors") {
      result.files[name] = try data("\(out)/checkpoints/\(checkpoint)/\(name)")
    }
    for line in try data("\(out)/log.jsonl").split(separator: 0x0A) {
      guard var step = try? JSONDecoder().decode(StepRecord.self, from: line) else { continue }
      (step.tokensPerSecond, step.residentBytes, step.wallSeconds) = (nil, nil, 0)
      result.steps.append(step)
    }
    return result
  }
}

extension URL {
  subscript(path: String) -> URL { appendingPathComponent(path) }
}
