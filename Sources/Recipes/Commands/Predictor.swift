import Continual
public import Foundation
import NN
public import Streams
public import Tokenizers

/// The model of a run, answering.
public struct Predictor {
  /// One text to answer; in a file, one JSON object a line or one row of a table.
  public struct Input: Sendable, Equatable {
    /// Any value of JSON, which the answer gets back.
    var key: ConfigurationValue?
    public var text: String
    public var pair: String?
    /// A conversation that ends with the user's message; empty where the text is all.
    public var messages: [ChatMessage] = []

    public init(id: String? = nil, text: String, pair: String? = nil) {
      (key, self.text, self.pair) = (id.map(ConfigurationValue.string), text, pair)
    }

    /// A conversation to go on with.
    public init(id: String? = nil, messages: [ChatMessage]) {
      (key, self.messages, text) = (id.map(ConfigurationValue.string), messages, messages.last?.content ?? "")
    }

    /// The id where it is a text or a whole number.
    public var id: String? { key?.word }
  }

  public struct Prediction: Encodable, Sendable {
    let key: ConfigurationValue?
    public let text: String
    public let pair: String?
    /// The class; nil where the model writes.
    public var label: String?
    /// Of the label, among those that could be answered.
    public var probability: Double?
    /// What the model wrote: an answer, or how the text goes on.
    public var answer: String?

    /// The id of the input where it is a text or a whole number.
    public var id: String? { key?.word }

    private enum CodingKeys: String, CodingKey { case key = "id", text, pair, label, probability, answer }
  }

  private let session: Session
  private let experience: Experience
  private let isToldTask: Bool
  /// Whether inputs are what a user says.
  private var talks: Bool { experience.holdsConversations }

  /// The newest checkpoint of the run in `folder`. `task` is the experience whose question is answered, needed where
  /// predictions are told their task.
  public init(_ folder: URL, task: String?, places: Places) throws {
    session = try Session.restored(folder, places: places)
    let learner = session.trainer.learner
    guard let last = learner.seen.last else { throw ResultError.none([folder.relativePath]) }
    if learner.objective != nil, !(learner.model is any Generates) { throw PredictionError.predictsTokens }
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
    let trainer = session.trainer, settings = session.recipe.evaluation
    let examples = try examples(inputs)
    var predictions = inputs.map { Prediction(key: $0.key, text: $0.text, pair: $0.pair) }
    if writes {
      let answers = try trainer.learner.write(examples, methods: trainer.methods, settings: settings)
      for (index, answer) in answers.enumerated() { predictions[index].answer = answer }
    } else {
      let answers = try trainer.learner.predictWithProbability(examples, methods: trainer.methods, settings: settings)
      for (index, answer) in answers.enumerated() {
        (predictions[index].label, predictions[index].probability) = (label(answer.target), answer.probability)
      }
    }
    return predictions
  }

  /// Shows the answer to one input while it is written; the pieces joined are the answer that `predict` gives.
  public func stream(_ input: Input, _ show: @escaping (String) -> Void) throws {
    let trainer = session.trainer, settings = session.recipe.evaluation
    guard writes else { throw PredictionError.streamsNoLabel }
    guard settings.beams == 1 else { throw PredictionError.streamsNoSearch(beams: settings.beams) }
    var answer = AnswerStream(
      session.tokenizer, stops: settings.stopStrings, said: session.reading.said(soFar:), show: show)
    for example in try examples([input]) {
      let whole = try trainer.learner.write(example, methods: trainer.methods, settings: settings) { answer.append($0) }
      answer.finish(whole)
    }
  }

  /// Whether the model writes its answers, rather than choosing among labels.
  private var writes: Bool {
    guard session.trainer.learner.model is any Generates else { return false }
    return experience.labels.isEmpty || experience.measure(by: session.recipe.evaluation.answers) != .scored
  }

  /// The inputs as the model reads them; what the right answer is, is not known.
  private func examples(_ inputs: [Input]) throws -> [TokenizedExample] {
    if !talks, inputs.contains(where: { !$0.messages.isEmpty }) {
      throw PredictionError.takesNoConversation(task: experience.name)
    }
    guard session.trainer.learner.objective == nil else {
      return try inputs.enumerated().map { index, input in
        let tokens = try session.begun(input.text)
        return TokenizedExample(
          id: String(index), tokens: tokens, firstLength: tokens.count, target: -1, experience: experience.index)
      }
    }
    let isFree = experience.labels.isEmpty
    let unknown = inputs.enumerated().map { index, input in
      if talks {
        let asked = input.messages.isEmpty ? [ChatMessage(.user, input.text)] : input.messages
        // A word stands for the answer, which is not looked at.
        return Example(id: String(index), conversation: asked + [ChatMessage(.assistant, "–")])
      }
      return isFree
        ? Example(id: String(index), text: input.text, pair: input.pair, answers: [""])
        : Example(id: String(index), text: input.text, pair: input.pair, label: 0)
    }
    return try session.tokenized(Dataset(name: "inputs", labels: experience.labels, examples: unknown), of: experience)
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
  private enum CodingKeys: String, CodingKey { case id, text, pair, messages }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    key = try values.decodeIfPresent(ConfigurationValue.self, forKey: .id)
    if values.contains(.messages) {
      messages = try values.decode(OpenConversation.self, forKey: .messages).messages
      text = messages.last?.content ?? ""
      return
    }
    text = try values.decode(String.self, forKey: .text)
    pair = try values.decodeIfPresent(String.self, forKey: .pair)
  }

  /// Reads JSON lines; blank lines are passed over. `name` stands in messages before line numbers.
  public static func read(_ data: Data, name: String) throws -> [Predictor.Input] {
    try data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap {
      index, line in
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return nil }
      do {
        return try JSONDecoder().decode(Predictor.Input.self, from: Data(line))
      } catch let problem as ConversationProblem {
        throw PredictionError.badConversation(file: name, line: index + 1, problem)
      } catch { throw PredictionError.badLine(file: name, line: index + 1) }
    }
  }

  /// Whether a file is read by columns: `.csv` and `.tsv`, which may be gzip.
  public static func isTable(_ file: URL) -> Bool { DataFile.isTable(file) }

  /// Reads a file of JSON lines, or a table's `columns`; either may be gzip.
  /// - Throws: `PredictionError`, and `DataError` for what is wrong in a table.
  public static func read(_ file: URL, columns: Columns = Columns()) throws -> [Predictor.Input] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) else {
      throw PredictionError.noFile(file.relativePath)
    }
    guard !isFolder.boolValue else { throw PredictionError.isFolder(file.relativePath) }
    guard isTable(file) else { return try read(DataFile.contents(of: file), name: file.relativePath) }
    return try DatasetReader(columns: columns.unlabeled).read(file).examples.map {
      Predictor.Input(id: $0.id, text: $0.text, pair: $0.pair)
    }
  }
}

extension ConfigurationValue: Decodable {
  /// Any value of JSON.
  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let isTrue = try? value.decode(Bool.self) {
      self = .bool(isTrue)
    } else if let number = try? value.decode(Int64.self) {
      self = .integer(String(number))
    } else if let number = try? value.decode(UInt64.self) {
      self = .integer(String(number))
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let elements = try? value.decode([ConfigurationValue].self) {
      self = .list(elements)
    } else {
      self = .mapping(try value.decode([String: ConfigurationValue].self))
    }
  }

  fileprivate var word: String? {
    switch self {
    case .string(let word), .integer(let word): word
    default: nil
    }
  }
}

/// A question that the model of a run cannot answer.
public enum PredictionError: LocalizedError, CustomStringConvertible, Equatable {
  case needsTask([String])
  case takesNoTask(stream: String)
  case predictsTokens
  case takesNoConversation(task: String)
  case noFile(String)
  case isFolder(String)
  case badLine(file: String, line: Int)
  case streamsNoLabel
  case streamsNoSearch(beams: Int)
  case badConversation(file: String, line: Int, ConversationProblem)

  public var description: String {
    switch self {
    case .needsTask(let names):
      "this model is told the task when it predicts. Name one: --task \(names.first ?? "NAME") "
        + "(the tasks are \(names.joined(separator: ", ")))."
    case .takesNoTask(let stream):
      "this model was trained on '\(stream)' without task labels at test time, so it chooses among all labels. "
        + "Leave out --task."
    case .predictsTokens:
      "this run pretrained an encoder, which fills in hidden tokens and answers nothing. 'jay export' writes the model; "
        + "train it on a task and ask that run."
    case .takesNoConversation(let task):
      "'\(task)' asks for no conversation, so \"messages\" cannot be answered. Write lines such as {\"text\": \"…\"}."
    case .noFile(let path):
      "there is no file \(path). Name a JSONL, CSV or TSV file, '-' for standard input, or give --text TEXT."
    case .isFolder(let path):
      "\(path) is a folder. Name a file in it, '-' for standard input, or give --text TEXT."
    case .streamsNoLabel: "this run answers with a label, which comes all at once. Leave out --stream."
    case .streamsNoSearch(let beams):
      "this run writes with a beam search (evaluation.beams is \(beams)), which knows its answer only at the end. Leave out "
        + "--stream."
    case .badConversation(let file, let line, let problem): "\(file):\(line): \(problem)."
    case .badLine(let file, let line):
      "\(file):\(line): not a JSON object with a \"text\" (and perhaps \"pair\" and \"id\"). "
        + "Write lines such as {\"text\": \"…\"}."
    }
  }
  public var errorDescription: String? { description }
}
