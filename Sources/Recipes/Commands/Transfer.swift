import Adapters
import Continual
import Evaluation
public import Foundation
import Methods
import Models
import Streams
import Torch

/// What a model is good for after each experience of a run: each kept model is fine-tuned on other tasks, one by one.
///
/// Where bottlenecks stand beside a kept model, they and the heads train, and the model does not; task i goes on from those of
/// experience i, where the run has some for each.
/// This is how continual pre-training is judged (Ke et al., ICLR 2023, arXiv 2302.03241): a[t,i] is the score on task i of
/// the model after experience t, fine-tuned on it. Where the tasks are as many as the experiences and in their order,
/// forgetting is the mean over i < T of a[i,i] − a[T,i].
public struct Transfer: Codable, Sendable {
  /// After which experience each model was taken, "before" for the one that the run started from.
  public let experiences: [String]
  public let tasks: [String]
  /// By model, in the order of `experiences`: percent, by task.
  public let accuracy: [[Double?]]
  public let macroF1: [[Double?]]

  private static let before = "before"

  /// Fine-tunes and scores; what was done before, in part or whole, is kept in `folder` and not done again.
  /// - Parameters:
  ///   - run: a finished run that kept its models.
  ///   - recipe: the tasks and how they are trained; its model is replaced.
  ///   - onlyLast: leaves out all models but the one after the last experience.
  ///   - folder: gets one run for each model.
  ///   - runner: trains.
  public static func run(
    _ run: URL, recipe: Recipe, onlyLast: Bool = false, in folder: URL, _ runner: Runner
  ) throws -> Transfer {
    let directory = RunDirectory(run)
    guard directory.exists else { throw RunError.notARun(run) }
    let own = try Recipe(file: directory.recipe)
    var models = try directory.keptModels(onlyLast: onlyLast)
    try checkPairs(recipe, of: directory, runner.places)
    if !onlyLast, !own.model.startsFresh {
      models.insert((before, before, try runner.places.model(own.model.name)), at: 0)
    }
    var rows: [(accuracy: [Double?], macroF1: [Double?])] = [], tasks: [String] = []
    for (_, name, model) in models {
      var tuned = recipe
      tuned.methods = [("per-task", NoConfiguration())] + bottlenecks(beside: model)
      (tuned.model.name, tuned.evaluation.future) = (model.path, false)
      let place = RunDirectory(folder.appendingPathComponent(name))
      if place.isComplete {
        var known = try Recipe(file: place.recipe)
        // The run may have moved, and its models with it.
        (known.model.name, known.methods) = (tuned.model.name, tuned.methods)
        guard tuned.isSame(as: known) else { throw TransferError.otherRecipe(folder.relativePath) }
      } else {
        try runner.run(tuned, in: place.url, start: place.exists ? .resume : .new, name: name)
      }
      let result = try place.record()
      tasks = result.matrix.experiences
      rows.append((result.matrix.rows.last ?? [], result.macroF1?.rows.last ?? []))
    }
    return Transfer(
      experiences: models.map(\.after), tasks: tasks, accuracy: rows.map(\.accuracy), macroF1: rows.map(\.macroF1))
  }

  /// Where each experience has bottlenecks of its own, each task goes on from those of one.
  private static func checkPairs(_ recipe: Recipe, of run: RunDirectory, _ places: Places) throws {
    guard let last = try run.keptModels(onlyLast: true).first?.place,
      FileManager.default.fileExists(atPath: BottleneckFile.url(1, in: last).path)
    else { return }
    let tasks = try recipe.stream.resolve(
      places, seed: recipe.header.seed, architecture: ModelDirectory(last).knownArchitecture())
    let experiences = try run.record().matrix.experiences
    guard tasks.count == experiences.count else {
      throw TransferError.unpaired(tasks: tasks.experiences.map(\.name), experiences: experiences)
    }
  }

  /// The method that goes on with the bottlenecks that were kept beside a model; none where there are none.
  private static func bottlenecks(beside model: URL) -> [(name: String, configuration: any ConfigurationSection)] {
    guard FileManager.default.fileExists(atPath: BottleneckFile.url(0, in: model).path) else { return [] }
    var configuration = SequentialAdapter.Configuration()
    configuration.from = model.path
    return [(SequentialAdapter.card.name, configuration)]
  }

  /// Mean over i < T of a[i,i] − a[T,i]; nil where tasks and experiences do not belong together, one to one.
  public func forgetting(_ scores: [[Double?]]) -> Double? {
    let after = Array(scores.suffix(tasks.count))
    let trained = experiences.count { $0 != Self.before }
    guard after.count == tasks.count, trained == tasks.count, tasks.count > 1 else { return nil }
    return Metric.backwardTransfer.compute(AccuracyMatrix(experiences: tasks, rows: after)).map { -$0 }
  }

  /// Two tables for people.
  public var text: String {
    [("accuracy", accuracy), ("macro-F1", macroF1)].map { name, scores in
      let cell = { (value: Double?) in value.map { String(format: "%.2f", $0) } ?? "–" }
      let rows = zip(experiences, scores).map { experience, row -> [String] in
        let known = row.compactMap { $0 }
        let mean = known.count == row.count && !row.isEmpty ? known.reduce(0, +) / Double(row.count) : nil
        return [experience] + row.map(cell) + [cell(mean)]
      }
      let forgotten = forgetting(scores).map { "\nforgetting \(String(format: "%.2f", $0))" } ?? ""
      return name + "\n" + Output.table([["after"] + tasks + ["mean"]] + rows) + forgotten
    }.joined(separator: "\n\n")
  }
}

/// Tasks that a run cannot be tried on, or a place that the results cannot go to.
public enum TransferError: LocalizedError, CustomStringConvertible, Equatable {
  case otherRecipe(String)
  case unpaired(tasks: [String], experiences: [String])

  public var description: String {
    switch self {
    case .otherRecipe(let folder):
      "\(folder) holds results of another recipe. Choose another place: --out DIR"
    case .unpaired(let tasks, let experiences):
      "the run has bottlenecks for each of its \(experiences.count) experiences (\(experiences.joined(separator: ", "))), from "
        + "which as many tasks would go on, in their order; the recipe has \(tasks.count) "
        + "(\(tasks.joined(separator: ", "))). Name in stream.tasks one for each experience."
    }
  }
  public var errorDescription: String? { description }
}
