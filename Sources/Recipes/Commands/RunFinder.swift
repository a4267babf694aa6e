public import Evaluation
public import Foundation

/// The runs that a command line names: run folders, or folders of them (seeds, sweeps).
public enum RunFinder {
  /// Levels below a named folder that are searched.
  static let depth = 4

  /// Run folders at or below the paths, in the order named and then by name.
  ///
  /// Files are passed over, since the `*` of a shell names the report beside the runs too.
  /// - Throws: `RunError.notARun` for a folder without any run.
  public static func folders(_ paths: [URL]) throws -> [URL] {
    var known = Set<String>()
    return try paths.filter { !isFile($0) || paths.count == 1 }.flatMap { path in
      let found = search(path, levels: depth)
      if found.isEmpty { throw RunError.notARun(path) }
      return found
    }.filter { known.insert($0.standardizedFileURL.path).inserted }
  }

  /// The records of all runs, and notes on those that have no results yet or are not finished.
  public static func records(_ paths: [URL]) throws -> (records: [RunRecord], notes: [String]) {
    var notes: [String] = []
    let records = try folders(paths).compactMap { folder -> RunRecord? in
      let directory = RunDirectory(folder)
      guard FileManager.default.fileExists(atPath: directory.matrix.path) else {
        notes.append("left out, no results yet: \(folder.relativePath)")
        return nil
      }
      guard var record = try? directory.record() else {
        notes.append("left out, its results cannot be read ('jay verify' says why): \(folder.relativePath)")
        return nil
      }
      if !record.matrix.isComplete { notes.append("not finished: \(folder.relativePath)") }
      record.id = folder.relativePath
      record.settings = (try? Recipe(yaml: record.recipe, name: record.id))?.commonSettings ?? []
      return record
    }
    guard !records.isEmpty else { throw ResultError.none(paths.map(\.relativePath)) }
    return (records, notes)
  }

  private static func isFile(_ path: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  private static func search(_ folder: URL, levels: Int) -> [URL] {
    if RunDirectory(folder).exists { return [folder] }
    guard levels > 0 else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
      .flatMap { search(folder.appendingPathComponent($0), levels: levels - 1) }
  }
}

/// Runs without results.
public enum ResultError: LocalizedError, CustomStringConvertible, Equatable {
  case none([String])
  case unfinished(String)
  case notTrained(task: String, trained: [String])

  public var description: String {
    switch self {
    case .none(let paths):
      "no run in \(paths.joined(separator: ", ")) has results yet. A run has them after its first experience."
    case .unfinished(let path): "\(path) is not finished. Finish it first: jay run --resume --out \(path)"
    case .notTrained(let task, let trained):
      "the run has not learned '\(task)' yet, only \(trained.isEmpty ? "nothing" : trained.joined(separator: ", ")). "
        + "Finish it with 'jay run --resume', or name another task."
    }
  }
  public var errorDescription: String? { description }
}
