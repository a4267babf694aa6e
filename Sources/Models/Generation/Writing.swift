import NN
import Torch

extension Reading {
  /// What is written behind the texts, as `settings` says.
  func write(_ ending: Ending, observe: ((_ row: Int, _ token: Int32) -> Void)?) -> [GeneratedAnswer] {
    guard ending.settings.maxTokens > 0 else { return context.map { _ in GeneratedAnswer() } }
    guard case .beam(let beam) = ending.settings.strategy else {
      return StepwiseWriter(ending, observe: observe).write(self)
    }
    let answers = BeamSearch(beam, ending).write(self)
    for (row, answer) in answers.enumerated() {
      for token in answer.tokens { observe?(row, token) }
    }
    return answers
  }
}
