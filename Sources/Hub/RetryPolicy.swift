import Foundation

/// How often and how long to try again.
public struct RetryPolicy: Sendable {
  /// Failures in a row after which to give up.
  public var attempts = 5
  /// Longest wait that the Hub may ask for, in seconds.
  public var longestWait = 120
  /// Bytes of a file that must have come for its failures to count anew.
  public var worthwhile: Int64 = 1 << 20
  /// Waits so many seconds.
  public var wait: @Sendable (Double) -> Void = { Thread.sleep(forTimeInterval: $0) }

  public init() {}

  /// Runs `attempt` again while it fails for reasons that may pass.
  /// - Parameters:
  ///   - received: bytes so far, of a download.
  ///   - failed: the error when all attempts failed without an answer.
  ///   - say: told of each wait.
  func run<Value>(
    hasToken: Bool, received: () -> Int64 = { 0 }, failed: (String) -> HubError, say: (String) -> Void,
    attempt: () throws -> Value
  ) throws -> Value {
    var failures = 0
    while true {
      let before = received()
      do {
        return try attempt()
      } catch let setback as Setback {
        if received() - before >= worthwhile { failures = 0 }
        failures += 1
        let pause = setback.pause ?? 1 << (failures - 1)
        guard failures < attempts, pause <= longestWait else {
          throw setback.error(failed, pause: pause, hasToken: hasToken)
        }
        say("\(setback.reason); trying again in \(pause) s")
        wait(Double(pause))
      }
    }
  }
}

/// A failure that may pass.
enum Setback: Error {
  /// No answer, or half of one.
  case connection(String)
  /// An answer of 5xx or 408.
  case status(Int, url: String)
  /// 429, with the seconds the Hub asks to wait, where it says.
  case busy(seconds: Int?)

  fileprivate var pause: Int? {
    guard case .busy(let seconds) = self else { return nil }
    return seconds
  }

  fileprivate var reason: String {
    switch self {
    case .connection(let reason): reason
    case .status(let status, let url): "\(url) answers \(status)"
    case .busy: "the Hub asks to wait (429, too many requests)"
    }
  }

  fileprivate func error(_ failed: (String) -> HubError, pause: Int, hasToken: Bool) -> HubError {
    switch self {
    case .connection(let reason): failed(reason)
    case .status(let status, let url): .unexpectedStatus(status, url: url)
    case .busy: .tooManyRequests(seconds: pause, hasToken: hasToken)
    }
  }
}
