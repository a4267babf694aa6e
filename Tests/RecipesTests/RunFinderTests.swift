import Evaluation
import Foundation
import Testing

@testable import Recipes

@Suite struct RunFinderTests {
  @Test func runsAreFoundFourLevelsDeepInNumericOrder() throws {
    let run = try TinyRun()
    for name in ["sweep/lora/order-1/lr/seed-10", "sweep/lora/order-1/lr/seed-2", "sweep/other", "deep/1/2/3/4/5"] {
      let target = run.scratch.url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: run.folder, to: target)
    }
    let sweep = run.scratch.url.appendingPathComponent("sweep")
    let found = try RunFinder.folders([sweep, sweep.appendingPathComponent("other")])
    #expect(
      found.map { $0.path.replacingOccurrences(of: sweep.path, with: "") } == [
        "/lora/order-1/lr/seed-2", "/lora/order-1/lr/seed-10", "/other",
      ])
    #expect(throws: RunError.self) { try RunFinder.folders([run.scratch.url.appendingPathComponent("deep")]) }
  }

  @Test func runsWithoutResultsAreLeftOutAndNamed() throws {
    let run = try TinyRun()
    try run.scratch.write("seed: 0\n", to: "more/empty/recipe.yaml")
    let more = run.scratch.url.appendingPathComponent("more")
    let (records, notes) = try RunFinder.records([run.folder, more])
    #expect(records.count == 1)
    #expect(notes.count == 1 && notes[0].hasPrefix("left out, no results yet: ") && notes[0].hasSuffix("more/empty"))
    #expect(
      run.scratch.sentence { _ = try RunFinder.records([more]) }.hasSuffix(
        "has results yet. A run has them after its first experience."))
  }

  @Test func aReportLiesInTheFolderOrWhereItIsTold() throws {
    let run = try TinyRun()
    try FileManager.default.removeItem(at: run.directory.report)
    #expect(try Comparison.report([run.folder], out: nil).file.path == run.directory.report.path)
    #expect(FileManager.default.fileExists(atPath: run.directory.report.path))
    #expect(
      "\(ReportError.needsFile(runs: 2))" == "one page over 2 folders needs a place. Name the file: --out report.html")
    #expect(throws: ReportError.needsFile(runs: 2)) { try Comparison.report([run.folder, run.folder], out: nil) }
    let page = run.scratch.url.appendingPathComponent("page.html")
    _ = try Comparison.report([run.folder, run.folder], out: page)
    #expect(try String(contentsOf: page, encoding: .utf8).hasPrefix("<!doctype html>"))
  }

  @Test func aComparisonIsTextMarkdownAndJSON() throws {
    let run = try TinyRun()
    let comparison = try Comparison([run.folder])
    #expect(comparison.text.hasPrefix("method"))
    let label = try #require(RunFinder.records([run.folder]).records.first).label
    #expect(try Comparison([run.folder], baseline: label).text == comparison.text)
    #expect(
      run.scratch.sentence { _ = try Comparison([run.folder], baseline: "none") }
        == "no run is of the method 'none'. Name one of: \(label).")
    #expect(comparison.markdown.hasPrefix("| method |"))
    #expect(try JSONSerialization.jsonObject(with: Data(comparison.json().utf8)) is [String: Any])
    #expect(comparison.notes.isEmpty)
  }
}
