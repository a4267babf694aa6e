public import NN
public import Torch

/// A decoder that answers in text: it reads the prompt and writes the answer behind it.
///
/// The loss is the mean cross-entropy of the answers' tokens. Scores are computed for those positions only, so that
/// MIGU ranks the rows of a trained head by them alone, where wenyudu/MIGU sees all positions.
public final class CausalAnswerer: Generates, PredictsTokens, Represents {
  public let parameters: ParameterStore
  public private(set) var endTokens: [Int32]
  private let model: any CausalLanguageModel

  public init(_ model: any CausalLanguageModel, parameters: ParameterStore, endTokens: [Int32]) {
    (self.model, self.parameters, self.endTokens) = (model, parameters, endTokens)
  }

  /// Ends answers at one more token, as a chat template may want.
  public func end(with token: Int32) {
    if !endTokens.contains(token) { endTokens.append(token) }
  }

  public var maxLength: Int { model.maxLength }
  public var vocabularySize: Int { model.vocabularySize }
  public var answerLayout: AnswerLayout { .behind }
  public var featureWidth: Int { model.width }

  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    let (states, labels) = written(batch, mode)
    return ModelOutput(loss: model.logits(states, mode).crossEntropy(labels))
  }

  public func labelScores(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    model.logits(labelStates(batch, mode), mode)
  }

  public func labelStates(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { written(batch, mode).0 }

  public func tokenScores(_ batch: DeviceBatch) -> TokenScores {
    let (states, labels) = written(batch, .evaluation)
    return TokenScores(states, labels) { model.logits($0, .evaluation) }
  }

  /// The mean of the last hidden states; padding and the answer are left out.
  public func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    hidden(batch, mode).tokenMean(batch.textMask(answerLayout))
  }

  /// `[rows, length, width]`: the last hidden states.
  private func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    batch.documents.map { model.hidden(batch.tokens, Placement(packed: $0), cache: nil, mode) }
      ?? model.hidden(batch.tokens, mask: batch.mask, cache: nil, mode)
  }

  /// The states that write the answers' tokens, `[n, width]`, and those tokens, int64 `[n]`.
  private func written(_ batch: DeviceBatch, _ mode: Mode) -> (Tensor, Tensor) {
    guard let labels = batch.labels, let places = batch.labelPlaces else {
      preconditionFailure("CausalAnswerer: the batch has no labels")
    }
    return (hidden(batch, mode).reshaped(-1, model.width).gathered(0, places), labels.reshaped(-1).gathered(0, places))
  }

  public func score(_ batch: DeviceBatch, answers: [[Int32]]) -> Tensor {
    let tree = AnswerTree(answers)
    return CausalReading(model, batch, room: tree.room).score(tree)
  }

  public func generate(
    _ batch: DeviceBatch, _ settings: GenerationSettings, decode: (([Int32]) -> String)?,
    observe: ((_ row: Int, _ token: Int32) -> Void)?
  ) -> [GeneratedAnswer] {
    CausalReading(model, batch, room: settings.maxTokens)
      .write(Ending(endTokens: endTokens, settings: settings, decode: decode), observe: observe)
  }
}
