public import Foundation

/// A request that a stream cannot meet.
public enum StreamError: Error, Hashable, Sendable {
  case unknownStream(String, known: [String])
  case unknownExperience(String, known: [String], stream: String)
  case duplicateExperience(String, stream: String)
  case notAPermutation([Int], count: Int, stream: String)
  case emptySubset(stream: String)
  case unknownOrder(Int, known: [Int], stream: String)
}

extension StreamError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .unknownStream(let name, let known):
      "unknown stream \"\(name)\"\(suggestion(name, known)); name one of \(quotedList(known))"
    case .unknownExperience(let name, let known, let stream):
      "stream \(stream) has no task \"\(name)\"\(suggestion(name, known)); name some of \(quotedList(known))"
    case .duplicateExperience(let name, let stream):
      "stream \(stream) would have the task \"\(name)\" twice; give every task a name of its own"
    case .notAPermutation(let order, let count, let stream):
      "order \(order) does not name every task of stream \(stream) once; write the numbers 0 to \(count - 1) in any order"
    case .emptySubset(let stream):
      "no task of stream \(stream) is chosen; name at least one"
    case .unknownOrder(let order, let known, let stream):
      "stream \(stream) has no order \(order); choose one of \(known.map(String.init).joined(separator: ", "))"
    }
  }

  public var errorDescription: String? { description }
}

private func suggestion(_ name: String, _ known: [String]) -> String {
  Nearest.name(to: name, among: known).map { " (did you mean \"\($0)\"?)" } ?? ""
}
