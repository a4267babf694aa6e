import Continual
import Foundation
import Models
import NN
import Streams
import Tokenizers

/// How the texts of a run become what its model reads, and back.
struct TextReading {
  private let tokenizer: any Tokenizer
  private let objective: (any Objective)?
  private let packing: Packing
  private let maxTokens: Int
  /// How prompts and answers are read; nil for a model that does not answer in text.
  private let form: AnswerForm?
  /// The same of abilities.
  private let abilityForm: AnswerForm?
  /// The chat template, where there are conversations.
  private let chat: Chat?

  /// - Parameters:
  ///   - recipe: says how long texts may be, and which chat template is used.
  ///   - model: reads them.
  ///   - objective: of pre-training; nil where tasks are learned.
  ///   - tokenizer: from `folder`.
  ///   - streams: what is learned, then the abilities that are measured.
  init(
    _ recipe: Recipe, _ model: any TaskModel, _ objective: (any Objective)?, _ tokenizer: any Tokenizer, folder: URL,
    streams: [TaskStream]
  ) throws {
    (self.objective, self.tokenizer, packing) = (objective, tokenizer, recipe.training.packing)
    maxTokens = min(recipe.training.maxTokens, model.maxLength)
    let asked = objective == nil ? streams : Array(streams.dropFirst())
    let talks = asked.filter { $0.experiences.contains(where: \.holdsConversations) }
    chat = try talks.first.map { stream in
      guard let decoder = model as? CausalAnswerer else { throw ChatError.needsDecoder(stream: stream.name) }
      let chat = try Chat(recipe.model.chatTemplate, for: stream.name, tokenizer: tokenizer, folder: folder)
      try chat.check(talks.flatMap(\.experiences))
      decoder.end(with: chat.end)
      return chat
    }
    let learnsToTalk = objective == nil && streams[0].experiences.contains(where: \.holdsConversations)
    form = try Self.form(recipe, model, within: maxTokens, learnsToTalk ? chat : nil)
    // What is only measured need not be cut to what training can afford.
    abilityForm = try Self.form(recipe, model, within: model.maxLength, chat)
  }

  /// How a model reads texts of so many tokens and answers them; nil for one that does not answer in text.
  private static func form(
    _ recipe: Recipe, _ model: any TaskModel, within maxTokens: Int, _ chat: Chat?
  ) throws -> AnswerForm? {
    guard let end = (model as? any Generates)?.endTokens.first else { return nil }
    let room = recipe.evaluation.maxAnswerTokens
    let maxPromptTokens = min(maxTokens, model.maxLength - room)
    let conversations = try chat?.form(
      maxTokens: maxTokens, maxPromptTokens: maxPromptTokens, turns: recipe.training.turns)
    return AnswerForm(
      maxTokens: maxPromptTokens, maxAnswerTokens: room, end: end, conversations: conversations)
  }

  /// The tokens of an experience that is learned.
  func callAsFunction(_ experience: Experience) -> TokenizedExperience {
    if let objective {
      let length = objective.rowLength(reading: maxTokens)
      let form = DocumentForm(length: length, packing: packing) { objective.document($0) }
      return TokenizedExperience(experience, tokenizer: tokenizer, form: form)
    }
    if let form { return TokenizedExperience(experience, tokenizer: tokenizer, form: form) }
    return TokenizedExperience(experience, tokenizer: tokenizer, maxTokens: maxTokens)
  }

  /// An ability, which is the one experience of a stream; what is asked of it does not depend on the objective.
  func ability(_ stream: TaskStream) -> Ability {
    guard let form = abilityForm else {
      preconditionFailure("TextReading.ability(\(stream.name)): the model does not answer")
    }
    let experience = stream.experiences[0]
    let tokenized = TokenizedExperience(experience, tokenizer: tokenizer, form: form)
    return Ability(
      name: experience.name, measure: experience.measure ?? .scored, examples: tokenized.test,
      options: tokenized.options)
  }

  /// The text of tokens that the model wrote.
  func decode(_ tokens: [Int32]) -> String {
    let text = tokenizer.decode(tokens, skipSpecialTokens: true)
    return chat?.template.said(in: text) ?? text
  }

  /// The tokens of words inside a text.
  func encode(_ words: String) -> [Int32] {
    let (encoding, spans) = tokenizer.encodeWithSpans(words)
    // Special tokens come from no part of the text.
    return zip(encoding.ids, spans).filter { $0.1 != nil }.map(\.0)
  }

  /// Identifies how conversations are written; nil where there are none.
  var fingerprint: String? { chat.map { Fingerprint.text("\($0.template)") } }
}

extension Session {
  /// What a user should know before training: conversations that are too long.
  var remarks: [String] {
    let learner = trainer.learner
    return learner.stream.experiences.filter(\.holdsConversations).compactMap { experience in
      let lost = learner.data(of: experience).shortened
      let all = [
        (lost.turns, "the first turns"), (lost.questions, "the end of the question"),
        (lost.answers, "the end of the answer"),
      ]
      let parts = all.filter { $0.0 > 0 }.map { "\($1) of \($0)" }
      guard !parts.isEmpty else { return nil }
      let count = experience.train.count + experience.validation.count + experience.test.count
      return "\(experience.name): training.maxTokens is too few for some of \(count) conversations; left out are "
        + parts.joined(separator: ", ")
    }
  }
}
