import Adapters
public import NN
public import Streams

extension TaskModel {
  /// Most positions that a text can take with all that stands beside it; nil where positions are relative, as in
  /// encoder-decoders, so that a text may be as long as memory allows.
  public var positions: Int? { answerLayout == .apart ? nil : maxLength }
}

extension Learner {
  /// Positions that the prompts and prefixes that are on take from every text.
  public var promptLength: Int {
    let prompts = parameters.promptSlot.map { $0.count(at: .front) + $0.count(at: .behind) } ?? 0
    return prompts + (parameters.prefixSlots.first?.count ?? 0)
  }

  /// Checks that an encoder, whose positions are a table, has some for each of these texts behind its prompts.
  /// - Throws: `AdapterError`.
  func checkRoom(for examples: [TokenizedExample]) throws {
    let prompt = promptLength
    guard prompt > 0, model is any Encodes, let limit = model.positions else { return }
    let longest = examples.map(\.tokens.count).max() ?? 0
    guard prompt + longest <= limit else { throw AdapterError.noRoom(prompt: prompt, text: longest, limit: limit) }
  }

  /// Checks that every text of an experience fits behind a prompt.
  /// - Throws: `AdapterError`.
  public func checkRoom(forPrompt count: Int, in experience: Experience) throws {
    let data = data(of: experience), limit = model.positions ?? .max
    var longest = 0
    for example in data.train + data.validation + data.test {
      if example.documents.count > 1 { throw AdapterError.packed }
      longest = max(longest, example.tokens.count + (model.answerLayout == .behind ? example.answer.count : 0))
    }
    guard count + longest <= limit else { throw AdapterError.noRoom(prompt: count, text: longest, limit: limit) }
  }
}
