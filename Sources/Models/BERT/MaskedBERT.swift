public import NN
public import Torch

/// BERT or RoBERTa with the head that predicts hidden tokens: dense, GELU, layer norm, and a decoder tied to the word
/// embeddings, with a bias.
/// Golden: `roberta-tiny`, `roberta-bert`, huggingface/transformers 5.23 `BertForMaskedLM`, `RobertaForMaskedLM`.
public final class MaskedBERT: MaskedLanguageModel {
  private let encoder: BERT
  private let dense: Linear
  private let norm: LayerNorm
  private let decoder: Linear

  /// The head's parameters are named as in the checkpoint: `cls.predictions.…` of BERT, `lm_head.…` of RoBERTa.
  public init(_ configuration: BERT.Configuration, in scope: Scope) {
    encoder = BERT(configuration, in: scope)
    let isBERT = configuration.readsSegments, width = configuration.width
    let head = isBERT ? scope / "cls" / "predictions" : scope / "lm_head"
    let transform = isBERT ? head / "transform" : head
    dense = Linear(
      width, width, initializer: .normal(deviation: configuration.initializerDeviation), in: transform / "dense")
    norm = LayerNorm(
      width, epsilon: configuration.layerNormEpsilon, in: transform / (isBERT ? "LayerNorm" : "layer_norm"))
    decoder = Linear(tiedTo: encoder.embeddings.words.weight, bias: true, in: head)
  }

  public var width: Int { encoder.width }
  public var attentionHeads: Int { encoder.attentionHeads }
  public var maxLength: Int { encoder.maxLength }
  public var vocabularySize: Int { encoder.configuration.vocabularySize }

  public func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { encoder.hidden(batch, mode) }

  public func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor {
    // RoBERTa's head has GELU whatever the encoder's activation is.
    let activation = encoder.configuration.readsSegments ? encoder.configuration.activation : .gelu
    return decoder.scores(norm(activation(dense(hidden, mode))), mode)
  }
}
