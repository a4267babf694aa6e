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
  /// Where the table of an encoder's positions ends.
  private let tableEnd: Int?
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
    maxTokens = try Self.maxTokens(recipe, model)
    tableEnd = model is any Encodes ? model.positions : nil
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
    form =
      objective == nil ? try Self.form(recipe, model, tokenizer, within: maxTokens, learnsToTalk ? chat : nil) : nil
    // What is only measured need not be cut to what training can afford.
    abilityForm =
      streams.count > 1
      ? try Self.form(recipe, model, tokenizer, within: max(maxTokens, model.maxLength), chat) : nil
    if model is any Generates { try Self.checkLabels(asked, recipe, tokenizer) }
  }

  /// Most tokens of a text that is learned.
  private static func maxTokens(_ recipe: Recipe, _ model: any TaskModel) throws -> Int {
    let asked = recipe.training.maxTokens
    guard let positions = model.positions, asked > positions else { return asked }
    // A recipe that does not say how long texts may be takes what there is.
    guard asked == TrainingSettings().maxTokens else { throw TextError.tooFewPositions(asked, positions: positions) }
    return positions
  }

  /// Most tokens of a prompt: the positions of a decoder hold the answer too.
  static func maxPromptTokens(
    _ recipe: Recipe, _ model: any TaskModel, _ tokenizer: any Tokenizer, within maxTokens: Int
  ) throws -> Int {
    guard let positions = model.positions else { return maxTokens }
    let answer = recipe.evaluation.maxAnswerTokens
    // What the tokenizer puts around every text, and a token of the text.
    let least = tokenizer.encode("").ids.count + 1
    guard positions - answer >= least else { throw TextError.noRoomForPrompts(answer: answer, positions: positions) }
    return min(maxTokens, positions - answer)
  }

  /// How a model reads texts of so many tokens and answers them; nil for one that does not answer in text.
  private static func form(
    _ recipe: Recipe, _ model: any TaskModel, _ tokenizer: any Tokenizer, within maxTokens: Int, _ chat: Chat?
  ) throws -> AnswerForm? {
    guard let end = (model as? any Generates)?.endTokens.first else { return nil }
    let maxPromptTokens = try maxPromptTokens(recipe, model, tokenizer, within: maxTokens)
    let conversations = try chat?.form(
      maxTokens: maxTokens, maxPromptTokens: maxPromptTokens, turns: recipe.training.turns)
    return AnswerForm(
      maxTokens: maxPromptTokens, maxAnswerTokens: recipe.evaluation.maxAnswerTokens, end: end,
      conversations: conversations)
  }

  /// Labels that are cut could become the same answer.
  private static func checkLabels(_ streams: [TaskStream], _ recipe: Recipe, _ tokenizer: any Tokenizer) throws {
    let limit = recipe.evaluation.maxAnswerTokens
    let needed = streams.flatMap(\.experiences).flatMap { experience in
      experience.labels.map { (label: $0, experience: experience.name, count: tokenizer.bareIDs(of: $0).count + 1) }
    }
    guard let longest = needed.max(by: { $0.count < $1.count }), longest.count > limit else { return }
    throw TextError.longLabel(
      longest.label, experience: longest.experience, tokens: longest.count, limit: limit)
  }

  /// Most tokens of a text or prompt that is learned.
  var maxTextTokens: Int { form?.maxTokens ?? maxTokens }

  /// The tokens of an experience that is learned.
  func callAsFunction(_ experience: Experience) -> TokenizedExperience { tokens(of: experience, behind: 0) }

  /// The tokens of an experience behind a prompt of so many vectors, which an encoder must have positions for too.
  func tokens(of experience: Experience, behind prompt: Int) -> TokenizedExperience {
    let limit = tableEnd.map { min(maxTokens, $0 - prompt) } ?? maxTokens
    if let objective {
      let form = DocumentForm(
        length: objective.rowLength(reading: limit), packing: packing, teaches: { objective.teaches($0) },
        document: { objective.document($0) })
      return TokenizedExperience(experience, tokenizer: tokenizer, form: form)
    }
    if let form { return TokenizedExperience(experience, tokenizer: tokenizer, form: form) }
    return TokenizedExperience(experience, tokenizer: tokenizer, maxTokens: limit)
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

  /// What is said so far in a text that is still being written; nil while nothing is.
  func said(soFar text: String) -> String? { chat.map { $0.template.said(soFar: text) } ?? text }

  /// The tokens of words inside a text.
  func encode(_ words: String) -> [Int32] { tokenizer.bareIDs(of: words) }

  /// Identifies how conversations are written; nil where there are none.
  var fingerprint: String? { chat.map { Fingerprint.text("\($0.template)") } }
}
