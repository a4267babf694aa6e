import Continual
import Evaluation
public import Foundation
import NN
import Streams
import Tokenizers

/// The newest checkpoint of a run, evaluated again.
public struct Scores: Encodable, Sendable {
  public struct Row: Encodable, Sendable {
    public let experience: String
    public let examples: Int
    public let accuracy: Double?
    public let macroF1: Double?
    /// Nats a token, where the model is pretrained.
    public let loss: Double?
    /// Accuracy in the run's own matrix; nil where it has none, or for other data.
    public let recorded: Double?
  }
  /// Name of the experience trained last.
  public let after: String
  public let rows: [Row]

  /// Scores every experience that the run has seen, on its test data.
  public init(_ folder: URL, places: Places) throws {
    let session = try Session.restored(folder, places: places)
    let learner = session.trainer.learner
    let matrix = session.trainer.progress.matrix
    let isWhole = session.trainer.progress.step == 0
    after = try Self.last(learner, folder)
    rows = try learner.seen.map { experience in
      try Self.row(
        session, experience, learner.data(of: experience).test,
        recorded: isWhole && matrix.count > 0 ? matrix[after: matrix.count - 1, on: experience.index] : nil)
    }
  }

  /// Scores one experience on other data, whose labels must be its own.
  public init(_ folder: URL, data: URL, experience name: String, columns: Columns = Columns(), places: Places) throws {
    let session = try Session.restored(folder, places: places)
    let experience = try session.trained(name)
    let dataset = try DatasetReader(columns: columns.map(for: experience), labels: experience.labels).read(data)
    after = try Self.last(session.trainer.learner, folder)
    let examples = try session.tokenized(dataset, of: experience)
    rows = [try Self.row(session, experience, examples, recorded: nil)]
  }

  private static func last(_ learner: Learner, _ folder: URL) throws -> String {
    guard let last = learner.seen.last else { throw ResultError.none([folder.relativePath]) }
    return last.name
  }

  private static func row(
    _ session: Session, _ experience: Experience, _ examples: [TokenizedExample], recorded: Double?
  ) throws -> Row {
    let measured = try session.trainer.learner.evaluate(
      examples, methods: session.trainer.methods, settings: session.recipe.evaluation)
    return Row(
      experience: experience.name, examples: examples.count, accuracy: measured.accuracy, macroF1: measured.macroF1,
      loss: measured.loss, recorded: recorded)
  }

  /// A table for people.
  public var text: String {
    let number = { (value: Double?) in value.map { String(format: "%.2f", $0) } ?? "–" }
    let hasLosses = rows.contains { $0.loss != nil }
    return "after \(after)\n"
      + Output.table(
        [["experience", "examples", "accuracy", "macro-F1"] + (hasLosses ? ["loss"] : []) + ["recorded"]]
          + rows.map {
            [$0.experience, String($0.examples), number($0.accuracy), number($0.macroF1)]
              + (hasLosses ? [number($0.loss)] : []) + [number($0.recorded)]
          })
  }
}

extension Session {
  /// An experience of this name that the model has been trained on.
  func trained(_ name: String) throws -> Experience {
    guard let found = stream.experiences.first(where: { $0.name == name }) else {
      throw StreamError.unknownExperience(name, known: stream.experiences.map(\.name), stream: stream.name)
    }
    guard found.index <= trainer.learner.current else {
      throw ResultError.notTrained(task: name, trained: trainer.learner.seen.map(\.name))
    }
    return found
  }
}
