import Foundation
import TestSupport

/// The built command-line program, in the folder of the test bundle.
enum Jay {
  struct Outcome {
    let status: Int32
    /// Standard output and standard error.
    let text: String
  }

  static let binary: URL = {
    // Linux runs the bundle itself, macOS names it to a helper.
    for argument in CommandLine.arguments {
      guard let bundle = argument.range(of: ".xctest") else { continue }
      return URL(fileURLWithPath: String(argument[..<bundle.upperBound])).deletingLastPathComponent()
        .appendingPathComponent("jay")
    }
    return Golden.root.appendingPathComponent(".build/debug/jay")
  }()

  /// A program under way.
  final class Running {
    private let process = Process()
    private let output: URL

    init(_ program: URL, _ arguments: [String], in folder: URL) throws {
      output = folder.appendingPathComponent("output-\(UUID().uuidString).txt")
      _ = FileManager.default.createFile(atPath: output.path, contents: nil)
      let handle = try FileHandle(forWritingTo: output)
      process.executableURL = program
      process.arguments = arguments
      process.currentDirectoryURL = folder
      var environment = ProcessInfo.processInfo.environment
      (environment["OMP_WAIT_POLICY"], environment["GOMP_SPINCOUNT"]) = ("PASSIVE", "1000")
      (environment["JAY_HOME"], environment["JAY_MODELS"]) = (folder.path, nil)
      process.environment = environment
      process.standardInput = FileHandle.nullDevice
      (process.standardOutput, process.standardError) = (handle, handle)
      try process.run()
    }

    var isRunning: Bool { process.isRunning }
    /// The processes that it started; Linux only.
    var children: [pid_t] {
      let id = process.processIdentifier
      let text = (try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)) ?? ""
      return text.split(separator: " ").compactMap { pid_t($0) }
    }
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    func wait() throws -> Outcome {
      process.waitUntilExit()
      return Outcome(status: process.terminationStatus, text: try String(contentsOf: output, encoding: .utf8))
    }
  }

  static func start(_ arguments: [String], in folder: URL) throws -> Running {
    try Running(binary, arguments, in: folder)
  }
}
