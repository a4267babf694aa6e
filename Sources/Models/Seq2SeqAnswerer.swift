public import NN
public import Torch

/// An encoder and a decoder that answer in text: the one reads the prompt, the other writes the answer.
///
/// The loss is the mean cross-entropy of the answers' tokens. The decoder and its head run over the padding of short
/// answers too, as in wenyudu/MIGU, so that MIGU's sums are the same.
public final class Seq2SeqAnswerer: Generates, PredictsTokens {
  public let parameters: ParameterStore
  public let endTokens: [Int32]
  private let model: any SequenceToSequenceModel

  public init(_ model: any SequenceToSequenceModel, parameters: ParameterStore, endTokens: [Int32]) {
    (self.model, self.parameters, self.endTokens) = (model, parameters, endTokens)
  }

  public var maxLength: Int { model.maxLength }
  public var vocabularySize: Int { model.vocabularySize }
  public var answerLayout: AnswerLayout { .apart }

  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    let (hidden, labels) = written(batch, mode)
    let scores = model.logits(hidden, mode).to(.float32)
    return ModelOutput(loss: scores.reshaped(-1, model.vocabularySize).crossEntropy(labels.reshaped(-1)))
  }

  public func tokenScores(_ batch: DeviceBatch) -> TokenScores {
    guard let places = batch.labelPlaces else { preconditionFailure("Seq2SeqAnswerer: the batch has no labels") }
    let (hidden, labels) = written(batch, .evaluation)
    return TokenScores(
      hidden.reshaped(-1, model.width).gathered(0, places), labels.reshaped(-1).gathered(0, places)
    ) { model.logits($0, .evaluation) }
  }

  /// The decoder's states `[rows, positions, width]`, and the tokens they write, int64 `[rows, positions]`.
  private func written(_ batch: DeviceBatch, _ mode: Mode) -> (Tensor, Tensor) {
    guard let labels = batch.labels else { preconditionFailure("Seq2SeqAnswerer: the batch has no labels") }
    let encoded = model.encode(batch.tokens, mask: batch.mask, mode)
    let before = labels.narrowed(1, 0..<labels.size(1) - 1).clamped(0...Double(model.vocabularySize)).to(.int64)
    let read = Tensor.concatenated([starts(batch), before], 1)
    return (model.decode(read, encoded: encoded, mask: batch.mask, cache: nil, mode), labels)
  }

  public func score(_ batch: DeviceBatch, answers: [[Int32]]) -> Tensor {
    let encoded = model.encode(batch.tokens, mask: batch.mask, .evaluation)
    let cache = KeyValueCache(capacity: answers.map(\.count).max() ?? 1)
    let scores = answers.map { answer -> Tensor in
      precondition(!answer.isEmpty, "score: an answer has no tokens")
      let tokens = Tensor(answer.map(Int64.init), device: batch.device).unsqueezed(0)
        .expanded([batch.rows, answer.count])
      let read = Tensor.concatenated([starts(batch), tokens.narrowed(1, 0..<answer.count - 1)], 1)
      let next = next(read, encoded, batch, cache).logSoftmax(2)
      cache.truncate(to: 0)
      return next.taken(2, tokens.unsqueezed(2)).squeezed(2).mean(1)
    }
    return .stacked(scores, 1)
  }

  public func generate(_ batch: DeviceBatch, maxTokens: Int) -> [[Int32]] {
    let encoded = model.encode(batch.tokens, mask: batch.mask, .evaluation)
    let cache = KeyValueCache(capacity: maxTokens)
    var answers = [[Int32]](repeating: [], count: batch.rows)
    var isFinished = [Bool](repeating: false, count: batch.rows)
    var tokens = starts(batch)
    for _ in 0..<maxTokens {
      tokens = next(tokens, encoded, batch, cache).squeezed(1).argmax(1).unsqueezed(1)
      for (row, token) in tokens.scalars(Int64.self).map(Int32.init).enumerated() where !isFinished[row] {
        if endTokens.contains(token) { isFinished[row] = true } else { answers[row].append(token) }
      }
      if isFinished.allSatisfy({ $0 }) { break }
    }
    return answers
  }

  /// int64 `[rows, 1]`: what the decoder reads first.
  private func starts(_ batch: DeviceBatch) -> Tensor {
    .full([batch.rows, 1], Double(model.startToken), dtype: .int64, device: batch.device)
  }

  /// Feeds `tokens` (int64 `[rows, new]`) to the decoder → float32 `[rows, new, vocabulary]`.
  private func next(_ tokens: Tensor, _ encoded: Tensor, _ batch: DeviceBatch, _ cache: KeyValueCache) -> Tensor {
    let hidden = model.decode(tokens, encoded: encoded, mask: batch.mask, cache: cache, .evaluation)
    return model.logits(hidden, .evaluation).to(.float32)
  }
}
