/// How the answers of a language model are measured.
public enum AnswerMeasure: String, Codable, Sendable, CaseIterable {
  /// The likeliest class name is the answer.
  case scored
  /// What the model writes, compared with the accepted answers.
  case exactMatch, rougeL
  /// The last number that the model writes, compared with the last of an accepted answer.
  case finalNumber
  /// Nothing is written: how well the model predicts each token of the answer.
  case loss
}

extension Experience {
  /// How this experience is measured where a recipe says `asked`: anything but `scored`, which is its default, goes before
  /// what the stream declares. Conversations have no classes to score.
  public func measure(by asked: AnswerMeasure) -> AnswerMeasure {
    guard asked == .scored else { return asked }
    return measure ?? (holdsConversations ? .loss : .scored)
  }
}
