import Continual
public import Foundation
import NN
import Streams
import Torch

/// How a model writes texts of its own.
struct TextSampling {
  /// Most tokens of a text.
  var maxTokens: Int
  /// Tokens of which one is drawn; 0 for all.
  var topK: Int
  var repetitionPenalty: Double

  /// The settings for texts of these numbers; a text's draws depend on `draw` and its number alone.
  func settings(_ numbers: Range<Int>, _ draw: Generator) -> GenerationSettings {
    var sampling = GenerationSettings.Sampling(topK: topK > 0 ? topK : nil, generator: draw)
    sampling.rows = numbers.map(String.init)
    return GenerationSettings(
      maxTokens: maxTokens, strategy: .sampling(sampling), repetitionPenalty: repetitionPenalty)
  }
}

extension Learner {
  /// What the model writes behind the same tokens for each of these numbers.
  func write(_ numbers: Range<Int>, behind text: [Int32], _ sampling: TextSampling, draw: Generator) -> [[Int32]] {
    guard let model = model as? any Generates else {
      preconditionFailure("write: \(type(of: model)) does not generate")
    }
    let example = TokenizedExample(
      id: "", tokens: text, firstLength: text.count, target: -1, experience: max(0, current))
    let batch = deviceBatch(Batch(numbers.map { _ in example }), withAnswers: false)
    return inference { model.generate(batch, sampling.settings(numbers, draw)).map(\.tokens) }
  }

  /// The last tokens of the vocabulary that occur in no text of the stream, end no answer and are not among `taken`.
  /// Those of T5 stand behind its tokenizer's own and were never trained.
  func freeTokens(_ count: Int, besides taken: Set<Int32> = []) throws -> [Int32] {
    let vocabulary = (model as? any PredictsTokens)?.vocabularySize ?? 0
    var used = taken.union((model as? any Generates)?.endTokens ?? [])
    for data in stream.experiences.map(data(of:)) {
      for options in data.options { used.formUnion(options) }
      for example in data.train + data.validation + data.test { used.formUnion(example.tokens + example.answer) }
    }
    let free = (1..<Int32(max(1, vocabulary))).reversed().lazy.filter { !used.contains($0) }.prefix(count)
    guard free.count == count else { throw FreeTokenError.none(vocabulary: vocabulary) }
    return Array(free)
  }
}

/// A vocabulary without tokens to spare.
public enum FreeTokenError: LocalizedError, CustomStringConvertible, Equatable {
  /// All tokens occur in texts.
  case none(vocabulary: Int)

  public var description: String {
    switch self {
    case .none(let vocabulary):
      "texts that a model is to write are marked by tokens that occur in no text, and of its \(vocabulary) tokens too few "
        + "are left. Use a model with more of them, or a stream of fewer experiences."
    }
  }
  public var errorDescription: String? { description }
}
