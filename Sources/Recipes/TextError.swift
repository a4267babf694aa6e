public import Foundation

/// Texts that a model cannot read as a recipe says.
public enum TextError: LocalizedError, CustomStringConvertible, Equatable {
  case tooFewPositions(Int, positions: Int)
  case noRoomForPrompts(answer: Int, positions: Int)
  case longLabel(String, experience: String, tokens: Int, limit: Int)

  public var description: String {
    switch self {
    case .tooFewPositions(let asked, let positions):
      "training.maxTokens is \(asked), and the model has positions for \(positions) tokens. Set training.maxTokens to "
        + "\(positions) or less, or choose a model that reads more."
    case .noRoomForPrompts(let answer, let positions):
      "the model has positions for \(positions) tokens, and evaluation.maxAnswerTokens keeps \(answer) of them for the "
        + "answer, which leaves no room for a prompt. Lower evaluation.maxAnswerTokens."
    case .longLabel(let label, let experience, let tokens, let limit):
      "the label '\(label)' of '\(experience)' is an answer of \(tokens) tokens, with the one that ends it, and "
        + "evaluation.maxAnswerTokens is \(limit), at which labels could become the same. Set it to \(tokens) or more."
    }
  }
  public var errorDescription: String? { description }
}
