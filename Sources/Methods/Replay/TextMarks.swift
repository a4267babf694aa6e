import Continual
public import Foundation
import NN
import Streams
import Torch

/// The tokens with which a model is asked to write texts of an experience, and that part a text from its answer.
struct TextMarks {
  let separator: Int32
  /// By experience.
  let tasks: [Int32]
  /// Ends texts and answers.
  let end: Int32

  /// What `choose` put into `state`.
  init(_ state: MethodState, _ learner: Learner) {
    guard let separator = state.numbers[Self.separator], let end = (learner.model as? any Generates)?.endTokens.first
    else { preconditionFailure("TextMarks: no tokens were chosen for \(type(of: learner.model))") }
    (self.separator, self.end) = (Int32(separator), end)
    tasks = learner.seen.compactMap { state.numbers[Self.task($0.index)].map { Int32($0) } }
  }

  /// Chooses the tokens of an experience, and the separator where there is none yet: the last of the vocabulary that
  /// occur in no text of the stream. Those of T5 stand behind its tokenizer's own and were never trained.
  static func choose(for experience: Experience, _ learner: Learner, in state: inout MethodState) throws {
    let names = [separator, task(experience.index)].filter { state.numbers[$0] == nil }
    let vocabulary = (learner.model as? any PredictsTokens)?.vocabularySize ?? 0
    var used = Set(state.numbers.filter { $0.key.hasPrefix(prefix) }.values.map { Int32($0) })
    used.formUnion((learner.model as? any Generates)?.endTokens ?? [])
    for data in learner.stream.experiences.map(learner.data(of:)) {
      for options in data.options { used.formUnion(options) }
      for example in data.train + data.validation + data.test { used.formUnion(example.tokens + example.answer) }
    }
    let free = (1..<Int32(max(1, vocabulary))).reversed().lazy.filter { !used.contains($0) }.prefix(names.count)
    guard free.count == names.count else { throw LFPT5Error.noFreeTokens(vocabulary: vocabulary) }
    for (name, token) in zip(names, free) { state.numbers[name] = Double(token) }
  }

  /// What asks for a text of an experience.
  func asking(_ experience: Int) -> [Int32] { [tasks[experience], end] }

  /// The job of writing an example's text and answer.
  func writing(_ example: TokenizedExample) -> TokenizedExample {
    let text = example.tokens.last == end ? example.tokens.dropLast() : example.tokens[...]
    let asked = asking(example.experience)
    return TokenizedExample(
      id: example.id, tokens: asked, firstLength: asked.count, target: example.target,
      answer: text + [separator] + example.answer, experience: example.experience)
  }

  /// Text and answer of what was written; nil where there is no separator, or more than one, or nothing beside it.
  func read(_ written: [Int32]) -> (text: [Int32], answer: [Int32])? {
    let parts = written.split(separator: separator, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    return (Array(parts[0]), Array(parts[1]))
  }

  private static let prefix = "token."
  private static let separator = prefix + "separator"
  private static func task(_ experience: Int) -> String { "\(prefix)\(experience)" }
}

/// Models that `lfpt5` cannot train.
public enum LFPT5Error: LocalizedError, CustomStringConvertible, Equatable {
  /// All tokens occur in texts.
  case noFreeTokens(vocabulary: Int)

  public var description: String {
    switch self {
    case .noFreeTokens(let vocabulary):
      "lfpt5 marks tasks and answers by tokens that occur in no text, and of the model's \(vocabulary) tokens too few are "
        + "left. Use a model with more of them, or a stream of fewer experiences."
    }
  }
  public var errorDescription: String? { description }
}

extension DeviceBatch {
  /// The texts and answers of its rows as examples.
  func answered() -> [TokenizedExample] {
    guard let labels else { preconditionFailure("answered: the batch has no labels") }
    let texts = tokens.to(device: .cpu).scalars(Int64.self), width = tokens.size(1)
    let answers = labels.to(device: .cpu).scalars(Int64.self), room = labels.size(1)
    return lengths.enumerated().map { row, length in
      TokenizedExample(
        id: String(row), tokens: texts[row * width..<row * width + length].map(Int32.init), firstLength: length,
        target: targets[row], answer: answers[row * room..<(row + 1) * room].filter { $0 != -100 }.map(Int32.init),
        experience: experiences[row])
    }
  }
}
