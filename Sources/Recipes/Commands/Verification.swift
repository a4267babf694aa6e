import Continual
import Evaluation
public import Foundation
import Streams

/// Whether the files of a run are what a run writes, and agree with each other.
public struct Verification: Encodable, Sendable {
  public struct Check: Encodable, Sendable, Equatable {
    public let what: String
    /// What does not fit; nil when all does.
    public let problem: String?
  }
  public let checks: [Check]
  public var isSound: Bool { checks.allSatisfy { $0.problem == nil } }

  public init(_ folder: URL) throws {
    let directory = RunDirectory(folder)
    guard directory.exists else { throw RunError.notARun(folder) }
    var checks: [Check] = []
    func check(_ what: String, _ body: () throws -> String?) {
      do { checks.append(Check(what: what, problem: try body())) } catch {
        checks.append(Check(what: what, problem: "\(error)"))
      }
    }
    check("recipe.yaml") {
      _ = try Recipe(file: directory.recipe)
      return nil
    }
    check("environment.json") {
      _ = try JSON.decode([String: String].self, from: directory.environment)
      return nil
    }
    if !Added.folders(in: directory).isEmpty {
      check("added/") {
        _ = try Added.experiences(in: directory)
        return nil
      }
    }
    check("log.jsonl") { try Self.log(directory.log) }
    // Before its first end, a run has checkpoints and nothing else.
    if FileManager.default.fileExists(atPath: directory.matrix.path) {
      check("matrix.json") { try Self.matrix(directory) }
      check("metrics.json") { try Self.metrics(directory) }
      check("summary.json") { try Self.summary(directory) }
      if FileManager.default.fileExists(atPath: directory.abilities.path) {
        check("abilities.json") { try Self.abilities(directory) }
      }
    }
    let names = Self.checkpoints(directory)
    if (try? JSON.decode(RunDirectory.Summary.self, from: directory.summary))?.isComplete == true {
      check("report.html") { FileManager.default.fileExists(atPath: directory.report.path) ? nil : "it is missing" }
      if names.isEmpty { check("checkpoints") { "there are none: the results stand, the model is gone" } }
    }
    for name in names {
      check("checkpoints/\(name)") { try Self.checkpoint(name, isLast: name == names.last, directory) }
    }
    self.checks = checks
  }

  private static func log(_ file: URL) throws -> String? {
    guard let data = FileManager.default.contents(atPath: file.path) else { return "it is missing" }
    for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
      guard (try? JSONSerialization.jsonObject(with: Data(line))) != nil else { return "line \(index + 1) is not JSON" }
    }
    return nil
  }

  private static func matrix(_ directory: RunDirectory) throws -> String? {
    let matrices = try JSON.decode(RunDirectory.Matrices.self, from: directory.matrix)
    let all = [matrices.accuracy, matrices.macroF1, matrices.validation]
    guard all.allSatisfy({ $0.experiences == matrices.accuracy.experiences && $0.count == matrices.accuracy.count })
    else {
      return "its matrices are not over the same experiences"
    }
    return nil
  }

  private static func metrics(_ directory: RunDirectory) throws -> String? {
    let stored = try JSON.decode([String: Double].self, from: directory.metrics)
    let computed = Metric.values(of: try JSON.decode(RunDirectory.Matrices.self, from: directory.matrix).accuracy)
    let wrong = Set(stored.keys).union(computed.keys).sorted().filter { stored[$0] != computed[$0] }
    guard !wrong.isEmpty else { return nil }
    return wrong.map { id in
      let text = { (value: Double?) in value.map { "\($0)" } ?? "nothing" }
      return "\(id) says \(text(stored[id])), the matrix gives \(text(computed[id]))"
    }.joined(separator: "; ")
  }

  private static func abilities(_ directory: RunDirectory) throws -> String? {
    let rows = try JSON.decode(AbilityScores.self, from: directory.abilities).rows.count
    let trained = try JSON.decode(RunDirectory.Matrices.self, from: directory.matrix).accuracy.count
    return rows == trained ? nil : "it has \(rows) rows, the matrix \(trained)"
  }

  private static func summary(_ directory: RunDirectory) throws -> String? {
    let summary = try JSON.decode(RunDirectory.Summary.self, from: directory.summary)
    let matrix = try JSON.decode(RunDirectory.Matrices.self, from: directory.matrix).accuracy
    return summary.isComplete && !matrix.isComplete
      ? "it says that the run is finished, but the matrix has \(matrix.count) of \(matrix.experiences.count) rows" : nil
  }

  private static func checkpoints(_ directory: RunDirectory) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.checkpoints.path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted()
  }

  private static func checkpoint(_ name: String, isLast: Bool, _ directory: RunDirectory) throws -> String? {
    let accuracy = try Checkpoint(directory.checkpoints.appendingPathComponent(name)).record.accuracy
    // An earlier checkpoint, kept in reserve, knows fewer rows.
    guard isLast, directory.isComplete else { return nil }
    let matrix = try JSON.decode(RunDirectory.Matrices.self, from: directory.matrix).accuracy
    return accuracy == matrix ? nil : "its accuracies are not those of matrix.json"
  }

  /// One line a check.
  public var text: String {
    let lines = checks.map { $0.problem.map { problem in "BAD  \(problem)" } ?? "ok" }
    return Output.table(zip(checks, lines).map { [$0.what, $1] })
  }
}
