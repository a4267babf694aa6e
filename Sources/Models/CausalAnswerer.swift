public import NN
public import Torch

/// A decoder that answers in text: it reads the prompt and writes the answer behind it.
///
/// The loss is the mean cross-entropy of the answers' tokens. Scores are computed for those positions only, so that
/// MIGU ranks the rows of a trained head by them alone, where wenyudu/MIGU sees all positions.
public final class CausalAnswerer: Generates, PredictsTokens {
  public let parameters: ParameterStore
  public let endTokens: [Int32]
  private let model: any CausalLanguageModel

  public init(_ model: any CausalLanguageModel, parameters: ParameterStore, endTokens: [Int32]) {
    (self.model, self.parameters, self.endTokens) = (model, parameters, endTokens)
  }

  public var maxLength: Int { model.maxLength }
  public var vocabularySize: Int { model.vocabularySize }
  public var answerLayout: AnswerLayout { .behind }

  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    let (states, labels) = written(batch, mode)
    return ModelOutput(loss: model.logits(states, mode).to(.float32).crossEntropy(labels))
  }

  public func tokenScores(_ batch: DeviceBatch) -> TokenScores {
    let (states, labels) = written(batch, .evaluation)
    return TokenScores(states, labels) { model.logits($0, .evaluation) }
  }

  /// The states that write the answers' tokens, `[n, width]`, and those tokens, int64 `[n]`.
  private func written(_ batch: DeviceBatch, _ mode: Mode) -> (Tensor, Tensor) {
    guard let labels = batch.labels, let places = batch.labelPlaces else {
      preconditionFailure("CausalAnswerer: the batch has no labels")
    }
    let hidden = model.hidden(batch.tokens, mask: batch.mask, documents: batch.documents, cache: nil, mode)
    return (hidden.reshaped(-1, model.width).gathered(0, places), labels.reshaped(-1).gathered(0, places))
  }

  public func score(_ batch: DeviceBatch, answers: [[Int32]]) -> Tensor {
    let longest = answers.map(\.count).max() ?? 0
    let reading = read(batch, room: longest)
    let scores = answers.map { answer -> Tensor in
      precondition(!answer.isEmpty, "score: an answer has no tokens")
      var likelihoods = reading.first.logSoftmax(1)
        .gathered(1, Tensor([Int64(answer[0])], device: batch.device)).squeezed(1)
      if answer.count > 1 {
        let fed = Tensor(answer.dropLast().map(Int64.init), device: batch.device).unsqueezed(0)
          .expanded([batch.rows, answer.count - 1])
        let next = reading.next(fed, model).logSoftmax(2)
        let wanted = Tensor(answer.dropFirst().map(Int64.init), device: batch.device).reshaped(1, -1, 1)
          .expanded([batch.rows, answer.count - 1, 1])
        likelihoods = likelihoods + next.taken(2, wanted).squeezed(2).sum(1)
        reading.rewind()
      }
      return likelihoods / Double(answer.count)
    }
    return .stacked(scores, 1)
  }

  public func generate(_ batch: DeviceBatch, maxTokens: Int) -> [[Int32]] {
    let reading = read(batch, room: maxTokens)
    var answers = [[Int32]](repeating: [], count: batch.rows)
    var isFinished = [Bool](repeating: false, count: batch.rows)
    var tokens = reading.first.argmax(1)
    for step in 0..<maxTokens {
      for (row, token) in tokens.scalars(Int64.self).map(Int32.init).enumerated() where !isFinished[row] {
        if endTokens.contains(token) { isFinished[row] = true } else { answers[row].append(token) }
      }
      if step == maxTokens - 1 || isFinished.allSatisfy({ $0 }) { break }
      tokens = reading.next(tokens.unsqueezed(1), model).squeezed(1).argmax(1)
    }
    return answers
  }

  /// Reads the prompts, with room for answers of so many tokens.
  private func read(_ batch: DeviceBatch, room: Int) -> Reading {
    let length = batch.tokens.size(1)
    let cache = KeyValueCache(capacity: length + room)
    let hidden = model.hidden(batch.tokens, mask: batch.mask, cache: cache, .evaluation)
    // Rows are padded on the right: each row's own last token writes the answer's first.
    let last = batch.lengths.enumerated().map { row, count in Int64(row * length + count - 1) }
    let picked = hidden.reshaped(-1, model.width).gathered(0, Tensor(last, device: batch.device))
    return Reading(cache: cache, mask: batch.mask, first: model.logits(picked, .evaluation).to(.float32))
  }

  /// Prompts that were read, and what follows them.
  private final class Reading {
    private let cache: KeyValueCache
    private let promptLength: Int
    private var mask: Tensor?
    /// float32 `[rows, vocabulary]`: scores of the answer's first token.
    let first: Tensor

    init(cache: KeyValueCache, mask: Tensor?, first: Tensor) {
      (self.cache, self.mask, self.first) = (cache, mask, first)
      promptLength = cache.length
    }

    /// Feeds `tokens` (int64 `[rows, new]`) → float32 `[rows, new, vocabulary]`.
    func next(_ tokens: Tensor, _ model: any CausalLanguageModel) -> Tensor {
      if let mask { self.mask = .concatenated([mask, .ones(tokens.shape, device: tokens.device)], 1) }
      return model.logits(model.hidden(tokens, mask: mask, cache: cache, .evaluation), .evaluation).to(.float32)
    }

    /// Back to the end of the prompts.
    func rewind() {
      cache.truncate(to: promptLength)
      mask = mask?.narrowed(1, 0..<promptLength)
    }
  }
}
