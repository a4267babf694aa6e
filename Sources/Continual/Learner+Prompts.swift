import Adapters
import NN
public import Streams

extension Learner {
  /// Checks that every text of an experience fits behind a prompt.
  /// - Throws: `AdapterError`.
  public func checkRoom(forPrompt count: Int, in experience: Experience) throws {
    let data = data(of: experience)
    var longest = 0
    for example in data.train + data.validation + data.test {
      if example.documents.count > 1 { throw AdapterError.packed }
      longest = max(longest, example.tokens.count + (model.answerLayout == .behind ? example.answer.count : 0))
    }
    guard count + longest <= model.maxLength else {
      throw AdapterError.noRoom(prompt: count, text: longest, limit: model.maxLength)
    }
  }
}
