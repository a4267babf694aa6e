import Continual
import NN
import Streams
import Tokenizers

extension Session {
  /// What a user should know before training: which texts are too long to be read whole.
  var remarks: [String] {
    stream.experiences.flatMap { experience in
      let data = trainer.learner.data(of: experience)
      let count = experience.train.count + experience.validation.count + experience.test.count
      return [
        remark(data.shortened, of: count), remark(texts: data.cut.texts, of: count),
        remark(answers: data.cut.answers, of: count),
      ].compactMap { $0 }.map { "\(experience.name): \($0)" }
    }
  }

  private func remark(_ lost: ShortenedConversations, of count: Int) -> String? {
    let all = [
      (lost.turns, "the first turns"), (lost.questions, "the end of the question"),
      (lost.answers, "the end of the answer"),
    ]
    let parts = all.filter { $0.0 > 0 }.map { "\($1) of \($0)" }
    guard !parts.isEmpty else { return nil }
    return "training.maxTokens is too few for some of \(count) conversations; left out are "
      + parts.joined(separator: ", ")
  }

  private func remark(texts lost: Int, of count: Int) -> String? {
    guard lost > 0 else { return nil }
    let limit = reading.maxTextTokens, model = trainer.learner.model
    let source =
      limit == recipe.training.maxTokens
      ? "of training.maxTokens"
      : model is any Generates
        ? "that evaluation.maxAnswerTokens leaves of the model's \(model.maxLength) positions"
        : "that the model has positions for"
    return "\(lost) of \(count) texts have more than the \(limit) tokens \(source), and lose their end"
  }

  private func remark(answers lost: Int, of count: Int) -> String? {
    guard lost > 0 else { return nil }
    return "\(lost) of \(count) answers have more than the \(recipe.evaluation.maxAnswerTokens) tokens of "
      + "evaluation.maxAnswerTokens, with the one that ends them, and lose their end"
  }
}

extension Session {
  /// Other examples of an experience as the model reads them.
  func tokenized(_ dataset: Dataset, of experience: Experience) throws -> [TokenizedExample] {
    let learner = trainer.learner
    var prompt = 0
    try learner.predicting(learner.knowsTaskAtTest ? experience.index : nil, methods: trainer.methods) {
      prompt = learner.promptLength
    }
    return reading.tokens(of: experience.measured(on: dataset), behind: prompt).test
  }

  /// The tokens of a text that a pretrained model goes on with.
  func begun(_ text: String) throws -> [Int32] {
    let model = trainer.learner.model
    let limit = try TextReading.maxPromptTokens(recipe, model, tokenizer, within: model.maxLength)
    let ids = tokenizer.encode(text, maxTokens: limit).ids
    // The text goes on: nothing has ended it yet.
    if ids.count > 1, ids.last == tokenizer.specialTokens.eos { return ids.dropLast() }
    // Where nothing is said, what ends the text before.
    return ids.isEmpty ? [(model as? any Generates)?.endTokens.first].compactMap { $0 } : ids
  }
}
