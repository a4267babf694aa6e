import Evaluation
public import Foundation
import Report
import Torch

/// The main job in a few minutes: a pretrained encoder learns the five tasks of Meadow, once by plain fine-tuning
/// and once with MIGU, with the same data, order, seed and learning rate.
public enum Demo {
  static let recipe = """
    model: minilm
    stream: meadow
    training: {epochs: 4, batchSize: 8, learningRate: 1e-4, warmup: 0.1, checkpointSeconds: 60}
    evaluation: {future: true}
    """

  /// Runs what is not there yet and gives the lines to print.
  public static func run(in folder: URL, places: Places, isQuiet: Bool) throws -> String {
    var runner = Runner(places: places)
    runner.isQuiet = isQuiet
    var records: [RunRecord] = []
    var lines: [String] = []
    for method in ["finetune", "migu"] {
      let directory = RunDirectory(folder.appendingPathComponent(method))
      let recipe = try Recipe(yaml: recipe, name: "demo", overrides: ["methods=[\(method)]"])
      if !directory.isComplete {
        try runner.run(recipe, in: directory.url, start: directory.exists ? .resume : .new, name: method)
      }
      let record = try directory.record()
      records.append(record)
      lines += [
        "", "\(method): accuracy after each task (row), on each task (column), in percent",
        Outcome.matrix(record.matrix),
      ]
    }
    let report = folder.appendingPathComponent("report.html")
    try AtomicFile.write(
      ReportPage.html(runs: records, title: "Five tasks, one encoder: fine-tuning and MIGU"), to: report)
    lines += [
      "", ComparisonTable.text(records), "",
      "One seed and one learning rate show how it works, not which method is better: Docs/Reproduction.md compares fairly.",
      "", "report  \(report.path)",
    ]
    return lines.joined(separator: "\n")
  }
}
