import CTorch
public import Foundation

/// Several processes that train one model together, each on its share of every batch: libtorch's c10d over Gloo, and over
/// NCCL between GPUs in a build that found its headers; otherwise tensors of an accelerator go through the CPU.
///
/// All must make the same calls in the same order; a call waits for the others.
public final class Processes {
  /// Where a process stands among the others, as `torchrun` says it in the environment.
  public struct Place: Sendable, Equatable {
    /// 0 for the one that writes the run down.
    public var rank: Int
    public var count: Int
    /// Processes on this machine, which share its cores.
    public var countHere: Int
    /// Which of these it is: the GPU of this number is its own.
    public var rankHere: Int
    /// Where they meet.
    public var host: String
    public var port: Int
    /// Whether something else listens there already (torchrun's agent); else rank 0 does.
    public var isServed: Bool
    /// Network interface of the sums; "" for that of the machine's name.
    public var interface: String

    public init(
      rank: Int, count: Int, countHere: Int? = nil, rankHere: Int? = nil, host: String = "127.0.0.1", port: Int,
      isServed: Bool = false, interface: String = ""
    ) {
      precondition(0..<count ~= rank, "Processes.Place: rank \(rank) of \(count)")
      (self.rank, self.count, self.countHere) = (rank, count, countHere ?? count)
      self.rankHere = rankHere ?? rank % self.countHere
      (self.host, self.port, self.isServed, self.interface) = (host, port, isServed, interface)
    }

    /// `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `LOCAL_WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT` and `GLOO_SOCKET_IFNAME`; nil where the
    /// first two are missing or there is one process only.
    public init?(environment: [String: String]) throws(ProcessesError) {
      guard environment["RANK"] != nil, environment["WORLD_SIZE"] != nil else { return nil }
      func number(_ name: String, _ range: Range<Int>) throws(ProcessesError) -> Int {
        guard let text = environment[name], let value = Int(text), range ~= value else {
          throw .badEnvironment(name: name, value: environment[name])
        }
        return value
      }
      let count = try number("WORLD_SIZE", 1..<Int(Int32.max))
      guard count > 1 else { return nil }
      let here = environment["LOCAL_WORLD_SIZE"] == nil ? count : try number("LOCAL_WORLD_SIZE", 1..<count + 1)
      let rankHere = environment["LOCAL_RANK"] == nil ? nil : try number("LOCAL_RANK", 0..<here)
      self.init(
        rank: try number("RANK", 0..<count), count: count, countHere: here, rankHere: rankHere,
        host: environment["MASTER_ADDR"] ?? "127.0.0.1", port: try number("MASTER_PORT", 1..<65536),
        isServed: environment["TORCHELASTIC_USE_AGENT_STORE"] == "True",
        interface: environment["GLOO_SOCKET_IFNAME"] ?? "")
      if host == "localhost" { host = "127.0.0.1" }
    }

    /// The same as the environment of a process.
    public var environment: [String: String] {
      [
        "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "LOCAL_RANK": "\(rankHere)", "LOCAL_WORLD_SIZE": "\(countHere)",
        "MASTER_ADDR": host, "MASTER_PORT": "\(port)",
      ]
    }
  }

  /// Whether this build can: Gloo's headers were there.
  public static var isSupported: Bool { ct_processes_supported() }

  /// Whether GPUs exchange their tensors themselves: NCCL's headers were there.
  public static var usesNCCL: Bool { ct_processes_use_nccl() }

  public let place: Place
  private let group: OpaquePointer

  /// Meets the others.
  /// - Parameters:
  ///   - place: where, and who this one is.
  ///   - meetingSeconds: how long to wait for the others.
  ///   - seconds: how long a later call waits for another process before that one counts as lost.
  public init(_ place: Place, meetingSeconds: Double = 300, seconds: Double = 1800) throws(ProcessesError) {
    guard Self.isSupported else { throw .unsupported }
    var out: OpaquePointer?
    let status = ct_processes_join(
      place.host, UInt16(place.port), place.rank == 0 && !place.isServed, place.interface, Int32(place.rank),
      Int32(place.count), meetingSeconds, seconds, &out)
    guard status == 0, let group = out else {
      throw .cannotMeet(host: place.host, port: place.port, count: place.count, reason: Self.lastError)
    }
    (self.place, self.group) = (place, group)
  }

  deinit { ct_processes_leave(group) }

  public var rank: Int { place.rank }
  public var count: Int { place.count }

  /// Replaces a contiguous tensor (float32, float64, int64) by its sum over all processes.
  public func sum(_ x: Tensor) throws(ProcessesError) { try beginSum(x).end() }

  /// Replaces a contiguous tensor by what process 0 holds.
  public func copyFirst(_ x: Tensor) throws(ProcessesError) {
    try begin { ct_copy_begin(group, x.pointer, 0, &$0) }.end()
  }

  /// Begins a sum, which goes on while the caller does; `x` holds it when the exchange has ended.
  public func beginSum(_ x: Tensor) throws(ProcessesError) -> Exchange {
    try begin { ct_sum_begin(group, x.pointer, &$0) }
  }

  private func begin(_ call: (inout OpaquePointer?) -> Int32) throws(ProcessesError) -> Exchange {
    var out: OpaquePointer?
    guard call(&out) == 0, let handle = out else { throw lost }
    return Exchange(handle, self)
  }

  private var lost: ProcessesError { .lost(rank: rank, count: count, reason: Self.lastError) }

  /// The first sentence of the reason, without the place in libtorch's sources that stands before it.
  private static var lastError: String {
    var reason = Substring(String(cString: ct_last_error()))
    if reason.hasPrefix("["), let end = reason.firstRange(of: "] ") { reason = reason[end.upperBound...] }
    reason = reason.prefix { $0 != "\n" }
    if let end = reason.firstRange(of: ". ") { reason = reason[..<end.lowerBound] }
    return String(reason)
  }

  /// Something under way between the processes.
  public struct Exchange {
    private let handle: OpaquePointer
    private let processes: Processes
    fileprivate init(_ handle: OpaquePointer, _ processes: Processes) {
      (self.handle, self.processes) = (handle, processes)
    }

    /// Waits; to be called once.
    public func end() throws(ProcessesError) {
      guard ct_exchange_end(handle) == 0 else { throw processes.lost }
    }
  }
}

/// Processes that cannot train together.
public enum ProcessesError: LocalizedError, CustomStringConvertible, Equatable {
  case unsupported
  case badEnvironment(name: String, value: String?)
  case cannotMeet(host: String, port: Int, count: Int, reason: String)
  case lost(rank: Int, count: Int, reason: String)
  case differs(what: String, rank: Int)

  public var description: String {
    switch self {
    case .unsupported:
      "this build trains in one process only: it was made without Gloo's headers. Install them (Debian: apt install "
        + "libgloo-dev) and build again."
    case .badEnvironment(let name, let value):
      "the environment says that several processes train together (WORLD_SIZE), but \(name) is "
        + (value.map { "'\($0)'" } ?? "missing") + ". Start with --processes N or with torchrun."
    case .cannotMeet(let host, let port, let count, let reason):
      "the \(count) processes did not meet at \(host):\(port): \(reason). Are all of them running, and is the port free?"
    case .lost(let rank, let count, let reason):
      "process \(rank) of \(count) lost another one: \(reason). What was saved last is whole; go on with --resume."
    case .differs(let what, let rank):
      "process \(rank) has another \(what) than process 0. All must read the same recipe, model and data."
    }
  }
  public var errorDescription: String? { description }
}
