import Continual
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

  /// Chooses the tokens of an experience, and the separator where there is none yet.
  static func choose(for experience: Experience, _ learner: Learner, in state: inout MethodState) throws {
    let names = [separator, task(experience.index)].filter { state.numbers[$0] == nil }
    let taken = Set(state.numbers.filter { $0.key.hasPrefix(prefix) }.values.map { Int32($0) })
    let free = try learner.freeTokens(names.count, besides: taken)
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

extension DeviceBatch {
  /// The texts and answers of its rows as examples.
  func answered() -> [TokenizedExample] {
    guard let labels else { preconditionFailure("answered: the batch has no labels") }
    let texts = tokens.to(device: .cpu).scalars(Int64.self), width = tokens.size(1)
    let classes = targets.to(device: .cpu).scalars(Int64.self)
    let answers = labels.to(device: .cpu).scalars(Int64.self), room = labels.size(1)
    return lengths.enumerated().map { row, length in
      TokenizedExample(
        id: String(row), tokens: texts[row * width..<row * width + length].map(Int32.init), firstLength: length,
        target: Int(classes[row]), answer: answers[row * room..<(row + 1) * room].filter { $0 != -100 }.map(Int32.init),
        experience: experiences[row])
    }
  }
}
