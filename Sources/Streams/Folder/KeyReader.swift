import Foundation

/// Takes typed values out of a JSON object and logs, with the path of the key, what is not as it should be.
struct KeyReader {
  private let object: [String: Any]
  private let path: String
  private let file: String

  init(_ object: [String: Any], at path: String, file: String) {
    self.object = object
    self.path = path
    self.file = file
  }

  func add(_ problem: StreamFileProblem, at key: String? = nil, log: inout ProblemLog) {
    let place = [path, key ?? ""].filter { !$0.isEmpty }.joined(separator: ".")
    log.add(.stream(key: place, problem), file: file)
  }

  func refuseUnknown(_ known: [String], log: inout ProblemLog) {
    for key in object.keys.sorted() where !known.contains(key) { add(.unknownKey(key, known: known), log: &log) }
  }

  func string(_ key: String, log: inout ProblemLog) -> String? {
    if object[key] == nil { add(.missingKey(key), log: &log) }
    return optionalString(key, log: &log)
  }

  func optionalString(_ key: String, log: inout ProblemLog) -> String? {
    value(key, "a string that is not empty", log: &log) { ($0 as? String).flatMap { $0.isEmpty ? nil : $0 } }
  }

  func bool(_ key: String, log: inout ProblemLog) -> Bool? {
    value(key, "true or false", log: &log) { $0 as? Bool }
  }

  /// A list of strings; a single string counts as a list of one.
  func strings(_ key: String, log: inout ProblemLog) -> [String]? {
    value(key, "a string or a list of strings", log: &log) { value in
      let list = value as? [String] ?? (value as? String).map { [$0] } ?? []
      return list.isEmpty || list.contains("") ? nil : list
    }
  }

  func objects(_ key: String, log: inout ProblemLog) -> [KeyReader]? {
    guard object[key] != nil else {
      add(.missingKey(key), log: &log)
      return nil
    }
    let list = value(key, "a list of objects", log: &log) { $0 as? [[String: Any]] }
    if list?.isEmpty == true { add(.noExperiences, at: key, log: &log) }
    return list?.enumerated().map { KeyReader($1, at: "\(key)[\($0)]", file: file) }
  }

  private func value<Value>(
    _ key: String, _ expected: String, log: inout ProblemLog, _ convert: (Any) -> Value?
  ) -> Value? {
    guard let raw = object[key] else { return nil }
    let value = convert(raw)
    if value == nil { add(.wrongKind(expected: expected), at: key, log: &log) }
    return value
  }
}
