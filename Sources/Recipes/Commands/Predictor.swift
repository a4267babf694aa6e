import Continual
public import Foundation
import Streams

/// The model of a run, answering.
public struct Predictor {
  /// One text to classify; in a file, one JSON object a line.
  public struct Input: Sendable, Equatable {
    public var id: String?
    public var text: String
    public var pair: String?

    public init(id: String? = nil, text: String, pair: String? = nil) {
      (self.id, self.text, self.pair) = (id, text, pair)
    }
  }

  public struct Prediction: Encodable, Sendable {
    public let id: String?
    public let text: String
    public let pair: String?
    public let label: String
    /// Among the labels that could be answered.
    public let probability: Double
  }

  private let session: Session
  private let experience: Experience
  private let isToldTask: Bool

  /// The newest checkpoint of the run in `folder`. `task` is the experience whose question is answered, needed where
  /// predictions are told their task.
  public init(_ folder: URL, task: String?, places: Places) throws {
    session = try Session.restored(folder, places: places)
    let learner = session.trainer.learner
    guard let last = learner.seen.last else { throw ResultError.none([folder.relativePath]) }
    isToldTask = learner.knowsTaskAtTest
    switch (task, isToldTask) {
    case (let task?, true): experience = try session.trained(task)
    case (nil, true): throw PredictionError.needsTask(learner.seen.map(\.name))
    case (_?, false): throw PredictionError.takesNoTask(stream: session.stream.name)
    case (nil, false): experience = last
    }
  }

  /// One answer for each input, in order.
  public func predict(_ inputs: [Input]) throws -> [Prediction] {
    let examples = session.tokenize(inputs.map { ($0.text, $0.pair) }, of: experience)
    let answers = try session.trainer.learner.predictWithProbability(
      examples, methods: session.trainer.methods, settings: session.recipe.evaluation)
    return zip(inputs, answers).map { input, answer in
      Prediction(
        id: input.id, text: input.text, pair: input.pair, label: label(answer.target), probability: answer.probability)
    }
  }

  /// Predictions as JSON lines.
  public func lines(_ inputs: [Input]) throws -> String {
    try predict(inputs).map { String(decoding: try JSON.line($0), as: UTF8.self) }.joined()
  }

  private func label(_ target: Int) -> String {
    guard isToldTask, let index = experience.classes.firstIndex(of: target) else {
      return session.stream.classNames[target]
    }
    return experience.labels[index]
  }
}

extension Predictor.Input: Decodable {
  private enum CodingKeys: String, CodingKey { case id, text, pair }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let number = try? values.decodeIfPresent(Int.self, forKey: .id)
    id = number.map(String.init) ?? (try? values.decodeIfPresent(String.self, forKey: .id))
    text = try values.decode(String.self, forKey: .text)
    pair = try values.decodeIfPresent(String.self, forKey: .pair)
  }

  /// Reads JSON lines; blank lines are passed over. `name` stands in messages before line numbers.
  public static func read(_ data: Data, name: String) throws -> [Predictor.Input] {
    try data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap {
      index, line in
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return nil }
      guard let input = try? JSONDecoder().decode(Predictor.Input.self, from: Data(line)) else {
        throw PredictionError.badLine(file: name, line: index + 1)
      }
      return input
    }
  }

  /// Reads a file of JSON lines.
  public static func read(_ file: URL) throws -> [Predictor.Input] {
    guard let data = FileManager.default.contents(atPath: file.path) else {
      throw PredictionError.noFile(file.relativePath)
    }
    return try read(data, name: file.relativePath)
  }
}

/// A question that the model of a run cannot answer.
public enum PredictionError: LocalizedError, CustomStringConvertible, Equatable {
  case needsTask([String])
  case takesNoTask(stream: String)
  case noFile(String)
  case badLine(file: String, line: Int)

  public var description: String {
    switch self {
    case .needsTask(let names):
      "this model is told the task when it predicts. Name one: --task \(names.first ?? "NAME") "
        + "(the tasks are \(names.joined(separator: ", ")))."
    case .takesNoTask(let stream):
      "this model was trained on '\(stream)' without task labels at test time, so it chooses among all labels. "
        + "Leave out --task."
    case .noFile(let path): "there is no file \(path). Name a JSONL file, '-' for standard input, or give --text TEXT."
    case .badLine(let file, let line):
      "\(file):\(line): not a JSON object with a \"text\" (and perhaps \"pair\" and \"id\"). "
        + "Write lines such as {\"text\": \"…\"}."
    }
  }
  public var errorDescription: String? { description }
}
