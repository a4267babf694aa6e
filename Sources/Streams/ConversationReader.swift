import Foundation
import Tokenizers

/// Makes examples of conversations.
///
/// One that is too long, as a whole or before its last answer, loses its first turns, then the end of the last question, of which as much is kept as leaves room
/// for the answer or for half of all tokens; only then the end of the answer.
struct ConversationReader: Sendable {
  let tokenizer: any Tokenizer
  let form: ConversationForm

  /// A conversation as tokens, with the answer that each belongs to; nil for what the assistant does not write.
  struct Reading {
    var ids: [Int32] = []
    var answers: [Int?] = []

    /// Places of the tokens of the last answer.
    var lastAnswer: [Int] {
      let last = answers.lazy.compactMap { $0 }.max()
      return last.map { last in answers.indices.filter { answers[$0] == last } } ?? []
    }
  }

  /// The examples of a dataset in its order, on all cores.
  func examples(_ dataset: Dataset, experience: Int, isMeasured: Bool) -> ([TokenizedExample], ShortenedConversations) {
    typealias Made = (TokenizedExample, ShortenedConversations)
    let made = [Made](unsafeUninitializedCapacity: dataset.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      DispatchQueue.concurrentPerform(iterations: dataset.count) { index in
        let example = dataset.examples[index]
        results.initializeElement(
          at: index,
          to: isMeasured ? measured(example, experience: experience) : trained(example, experience: experience))
      }
      count = dataset.count
    }
    return (made.map(\.0), made.map(\.1).reduce(ShortenedConversations(), +))
  }

  /// The whole conversation; each token of the answers is predicted from those before it.
  func trained(_ example: Example, experience: Int) -> (TokenizedExample, ShortenedConversations) {
    var (messages, shortened) = fitted(example.messages)
    let reading = read(messages)
    let written =
      form.turns == .last ? reading.lastAnswer : reading.answers.indices.filter { reading.answers[$0] != nil }
    // The first token of a text is predicted from nothing.
    let places = written.filter { 1...form.maxTokens ~= $0 }
    shortened.answers += places.last == written.last ? 0 : 1
    let length = places.last ?? min(reading.ids.count, form.maxTokens)
    var made = TokenizedExample(
      id: example.id, tokens: Array(reading.ids.prefix(length)), firstLength: length, target: -1,
      answer: places.map { reading.ids[$0] }, experience: experience)
    made.places = places.map { Int32($0 - 1) }
    return (made, shortened)
  }

  /// What stands before the last answer as the text, and that answer behind it.
  func measured(_ example: Example, experience: Int) -> (TokenizedExample, ShortenedConversations) {
    var (messages, shortened) = fitted(example.messages)
    let prompt = read(messages.dropLast(), addingPrompt: true).ids, reading = read(messages)
    let answer = reading.lastAnswer.map { reading.ids[$0] }
    let room = max(1, form.maxTokens - prompt.count)
    shortened.answers += answer.count > room ? 1 : 0
    let made = TokenizedExample(
      id: example.id, tokens: prompt, firstLength: prompt.count, target: -1, answer: Array(answer.prefix(room)),
      accepted: example.answers, experience: experience)
    return (made, shortened)
  }

  /// The tokens of a conversation as its template writes it: none is added to those that it spells out.
  func read(_ messages: some Collection<ChatMessage>, addingPrompt: Bool = false) -> Reading {
    // Orders that a template refuses are refused before.
    guard let chat = try? form.template.render(Array(messages), addingPrompt: addingPrompt) else {
      preconditionFailure("ConversationReader: the template refuses \(messages.map(\.role))")
    }
    let (encoding, spans) = tokenizer.encodeWithWholeSpans(chat.text)
    var reading = Reading()
    for (id, span) in zip(encoding.ids, spans) {
      guard let part = span?.utf8 else { continue }
      reading.ids.append(id)
      reading.answers.append(chat.answers.firstIndex { $0.overlaps(part) })
    }
    return reading
  }

  /// A conversation whose prompt fits, and what it lost for that.
  func fitted(_ messages: [ChatMessage]) -> (messages: [ChatMessage], shortened: ShortenedConversations) {
    var kept = messages, shortened = ShortenedConversations()
    var whole = read(kept)
    let first = kept[0].role == .system ? 1 : 0
    while kept.count - first > 2, whole.ids.count > form.maxTokens || !fits(kept, form.maxPromptTokens) {
      kept.removeSubrange(first..<first + 2)
      shortened.turns = 1
      whole = read(kept)
    }
    let room = min(form.maxPromptTokens, max(form.maxTokens - whole.lastAnswer.count, form.maxTokens / 2))
    for place in [kept.count - 2, 0] where !fits(kept, room) {
      kept[place].content = longestFitting(kept, place, room)
      shortened.questions = 1
    }
    return (kept, shortened)
  }

  private func fits(_ messages: [ChatMessage], _ room: Int) -> Bool {
    read(messages.dropLast(), addingPrompt: true).ids.count <= room
  }

  /// As much of the beginning of a message as leaves the prompt within `room`.
  private func longestFitting(_ messages: [ChatMessage], _ place: Int, _ room: Int) -> String {
    var messages = messages
    let content = Array(messages[place].content)
    var fitting = 0, tooLong = content.count
    while tooLong - fitting > 1 {
      let middle = (fitting + tooLong) / 2
      messages[place].content = String(content[..<middle])
      if fits(messages, room) { fitting = middle } else { tooLong = middle }
    }
    return String(content[..<fitting])
  }
}
