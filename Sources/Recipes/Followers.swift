import Foundation
public import Torch

/// The other processes of a run on this machine: this command again, each with its rank in the environment.
public final class Followers {
  private let children: [(process: Process, errors: URL)]

  /// Runs `body` with the processes that train together, nil for one alone: those that `environment` names (torchrun,
  /// or a first process that started this one), else this one and `count − 1` that it starts itself.
  public static func together(
    _ count: Int, threads: Int?, environment: [String: String], _ body: (Processes?) throws -> Void
  ) throws {
    let place = try Processes.Place(environment: environment)
    if let place { return try begin(place, threads: threads, body) }
    guard count > 1 else {
      Engine.start(threads: threads)
      return try body(nil)
    }
    guard Processes.isSupported else { throw ProcessesError.unsupported }
    let first = Processes.Place(rank: 0, count: count, port: try freePort())
    let others = try Followers(of: first, environment)
    do {
      try begin(first, threads: threads, body)
    } catch {
      let said = others.end()
      // What another process failed with is why this one lost it.
      if error is ProcessesError { try? FileHandle.standardError.write(contentsOf: Data(said.utf8)) }
      throw error
    }
    _ = others.end()
  }

  private static func begin(
    _ place: Processes.Place, threads: Int?, _ body: (Processes?) throws -> Void
  ) throws {
    Engine.start(threads: threads, sharers: place.countHere)
    let processes = try Processes(place)
    if place.rank > 0 { ignoreSignals() }
    try body(processes)
  }

  private init(of first: Processes.Place, _ environment: [String: String]) throws {
    children = try (1..<first.count).map { rank in
      var place = first
      (place.rank, place.rankHere) = (rank, rank)
      let errors = FileManager.default.temporaryDirectory.appendingPathComponent("jay-\(getpid())-\(rank).log")
      try AtomicFile.write("", to: errors)
      let process = Process()
      process.executableURL = Bundle.main.executableURL
      process.arguments = Array(CommandLine.arguments.dropFirst())
      process.environment = environment.merging(place.environment) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = try FileHandle(forWritingTo: errors)
      try process.run()
      return (process, errors)
    }
  }

  /// Waits for the others, which end by themselves when this process is done with the run or has left it.
  /// - Returns: what those said that failed before this process did; empty where none did.
  private func end() -> String {
    children.map { child in
      child.process.waitUntilExit()
      let said = (try? String(contentsOf: child.errors, encoding: .utf8)) ?? ""
      try? FileManager.default.removeItem(at: child.errors)
      if child.process.terminationReason == .uncaughtSignal {
        return said + "a process of the run was ended by signal \(child.process.terminationStatus)\n"
      }
      return child.process.terminationStatus == 0 ? "" : said
    }.joined()
  }

  /// Whoever stops the run stops the first process, which saves it; the others end when that one leaves.
  private static func ignoreSignals() {
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
  }

  /// A port that nobody listens at.
  private static func freePort() throws -> Int {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let handle = socket(AF_INET, kind, 0)
    defer { close(handle) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutableBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { pointer in
        bind(handle, pointer.baseAddress, length) == 0 ? getsockname(handle, pointer.baseAddress, &length) : -1
      }
    }
    guard handle >= 0, status == 0 else { throw FileError(action: .create, path: "127.0.0.1", code: errno) }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
