public import NN
public import Torch

/// An encoder that predicts hidden tokens: what masked-language-model pre-training trains.
///
/// The loss is the mean cross-entropy of the hidden tokens; the head runs at their places only, where the reference runs
/// it everywhere: the loss is the same, but MIGU ranks the rows of the head by the hidden tokens alone.
public final class MaskedPredictor: PredictsTokens, Encodes {
  public let parameters: ParameterStore
  private let model: any MaskedLanguageModel

  public init(_ model: any MaskedLanguageModel, parameters: ParameterStore) {
    (self.model, self.parameters) = (model, parameters)
  }

  public var maxLength: Int { model.maxLength }
  public var vocabularySize: Int { model.vocabularySize }
  public var attentionHeads: Int { model.attentionHeads }
  public var featureWidth: Int { model.width }
  public var answerLayout: AnswerLayout { .within }

  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    let (states, labels) = hiddenTokens(batch, mode)
    return ModelOutput(loss: model.logits(states, mode).crossEntropy(labels))
  }

  /// The mean of the last hidden states, padding left out.
  public func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    model.hidden(batch, mode).tokenMean(batch.mask)
  }

  public func labelScores(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    model.logits(labelStates(batch, mode), mode)
  }

  public func labelStates(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { hiddenTokens(batch, mode).0 }

  public func tokenScores(_ batch: DeviceBatch) -> TokenScores {
    let (states, labels) = hiddenTokens(batch, .evaluation)
    return TokenScores(states, labels) { model.logits($0, .evaluation) }
  }

  /// The states at the places of the hidden tokens, `[n, width]`, and those tokens, int64 `[n]`.
  private func hiddenTokens(_ batch: DeviceBatch, _ mode: Mode) -> (Tensor, Tensor) {
    guard let labels = batch.labels, let places = batch.labelPlaces else {
      preconditionFailure("MaskedPredictor: the batch has no labels")
    }
    let states = model.hidden(batch, mode).reshaped(-1, model.width).gathered(0, places)
    return (states, labels.reshaped(-1).gathered(0, places))
  }
}
