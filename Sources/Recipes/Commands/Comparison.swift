import Continual
import Evaluation
public import Foundation
import Report
import Torch

/// Reports and comparisons over any number of runs.
public struct Comparison {
  private let runs: [RunRecord]
  /// What a reader should know of the choice of runs.
  public let notes: [String]

  /// The others are compared with `baseline`, a method as tables show it; without one with fine-tuning, where it is
  /// among them, else with the first.
  public init(_ paths: [URL], baseline: String? = nil) throws {
    let (found, notes) = try RunFinder.records(paths)
    let labels = found.map(\.label)
    if let baseline, !labels.contains(baseline) {
      throw ReportError.unknownBaseline(baseline, known: Set(labels).sorted())
    }
    let first = baseline ?? "finetune"
    runs = found.filter { $0.label == first } + found.filter { $0.label != first }
    let repeated = RunGroup.groups(of: runs).flatMap(\.repeated).map { run in
      "left out, another run has its seed \(run.seed) too: \(run.id)"
    }
    self.notes = notes + repeated
  }

  /// Aligned columns for a terminal.
  public var text: String { ComparisonTable.text(runs) }
  public var markdown: String { ComparisonTable.markdown(runs) }
  public func json() throws -> String { try ComparisonTable.json(runs) }

  /// Writes one page over all runs.
  public func write(to file: URL) throws {
    try AtomicFile.write(ReportPage.html(runs: runs, title: title), to: file)
  }

  /// Writes the figures of the finished runs beside their recipes and gives notes on runs that belong to none.
  ///
  /// The file's rows of other recipes in its folder stay.
  public func writeFigures(to file: URL) throws -> [String] {
    let folder = file.deletingLastPathComponent()
    let (figures, notes) = try Figures.make(runs, recipes: folder)
    let names = Set(try RecipeMatch.recipes(in: folder).map(\.name))
    let earlier = (try? JSON.decode(Figures.self, from: file)) ?? Figures()
    try AtomicFile.write(try JSON.encode(figures.keeping(earlier, recipes: names)), to: file)
    return notes
  }

  /// Writes each run's curves as a TensorBoard event file into the run's own folder, anew each time, and gives the
  /// files.
  public func writeEvents() throws -> [URL] {
    try runs.map { run in
      let directory = RunDirectory(URL(fileURLWithPath: run.id))
      let start = run.environment["date"].flatMap { ISO8601DateFormatter().date(from: $0) }
      let file = directory.events
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try AtomicFile.write(TensorBoard.events(of: run, start: start ?? .init(timeIntervalSince1970: 0)), to: file)
      return file
    }
  }

  private var title: String {
    let methods = Set(runs.map(\.label)), streams = Set(runs.map(\.stream)).sorted()
    let what = methods.count == 1 ? methods.first ?? "" : "\(methods.count) methods"
    return "\(what) on \(streams.joined(separator: ", "))"
  }

  /// Writes the report of some runs anew and gives its place: in the folder of a single run, else in `out`.
  public static func report(_ paths: [URL], out: URL?) throws -> (file: URL, notes: [String]) {
    let comparison = try Comparison(paths)
    let file: URL
    switch (out, paths.count) {
    case (let out?, _): file = out
    // The folder of a run, or of several: both are where a reader looks.
    case (nil, 1): file = RunDirectory(paths[0]).report
    default: throw ReportError.needsFile(runs: paths.count)
    }
    try comparison.write(to: file)
    return (file, comparison.notes)
  }
}

/// A report that cannot be written.
public enum ReportError: LocalizedError, CustomStringConvertible, Equatable {
  case needsFile(runs: Int)
  case unknownBaseline(String, known: [String])

  public var description: String {
    switch self {
    case .needsFile(let runs): "one page over \(runs) folders needs a place. Name the file: --out report.html"
    case .unknownBaseline(let name, let known):
      "no run is of the method '\(name)'. Name one of: \(known.joined(separator: ", "))."
    }
  }
  public var errorDescription: String? { description }
}
