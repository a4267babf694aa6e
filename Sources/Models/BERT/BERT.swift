public import NN
public import Torch

/// The BERT encoder (Devlin et al. 2019, arXiv 1810.04805), post-layer-norm, absolute positions.
/// Golden: `bert-tiny` and `minilm`, huggingface/transformers 5.23 `BertModel`.
public final class BERT: TextEncoder {
  public let configuration: Configuration
  private let embeddings: Embeddings
  private let layers: [Layer]

  public init(_ configuration: Configuration, in scope: Scope) {
    self.configuration = configuration
    embeddings = Embeddings(configuration, in: scope / "embeddings")
    layers = (0..<configuration.layers).map { Layer(configuration, in: scope / "encoder" / "layer" / $0) }
  }

  public var width: Int { configuration.width }
  public var maxLength: Int { configuration.maxPositions }

  public func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    var x = embeddings(batch, mode)
    // 0 keeps a key, −inf drops it; made once for all layers.
    let mask = batch.mask.map { mask in
      ((mask - 1) * 1e30).to(x.dtype).reshaped(batch.rows, 1, 1, mask.size(1))
    }
    for layer in layers { x = layer(x, mask, mode) }
    return x
  }

  final class Embeddings {
    private let words: Embedding, positions: Embedding, segments: Embedding
    private let norm: LayerNorm
    private let dropout: Double

    init(_ c: Configuration, in scope: Scope) {
      let normal = Initializer.normal(deviation: c.initializerDeviation)
      words = Embedding(c.vocabularySize, c.width, initializer: normal, in: scope / "word_embeddings")
      positions = Embedding(c.maxPositions, c.width, initializer: normal, in: scope / "position_embeddings")
      segments = Embedding(c.segmentTypes, c.width, initializer: normal, in: scope / "token_type_embeddings")
      norm = LayerNorm(c.width, epsilon: c.layerNormEpsilon, in: scope / "LayerNorm")
      dropout = c.hiddenDropout
    }

    func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
      let length = batch.tokens.size(1)
      let position = positions.weight.value.narrowed(0, 0..<length)
      return mode.dropout(norm(words(batch.tokens) + segments(batch.segments) + position), dropout)
    }
  }

  final class Layer {
    private let query: Linear, key: Linear, value: Linear, attentionOutput: Linear
    private let attentionNorm: LayerNorm
    private let intermediate: Linear, output: Linear
    private let outputNorm: LayerNorm
    private let configuration: Configuration

    init(_ c: Configuration, in scope: Scope) {
      configuration = c
      let normal = Initializer.normal(deviation: c.initializerDeviation)
      let attention = scope / "attention"
      query = Linear(c.width, c.width, initializer: normal, in: attention / "self" / "query")
      key = Linear(c.width, c.width, initializer: normal, in: attention / "self" / "key")
      value = Linear(c.width, c.width, initializer: normal, in: attention / "self" / "value")
      attentionOutput = Linear(c.width, c.width, initializer: normal, in: attention / "output" / "dense")
      attentionNorm = LayerNorm(c.width, epsilon: c.layerNormEpsilon, in: attention / "output" / "LayerNorm")
      intermediate = Linear(c.width, c.intermediateWidth, initializer: normal, in: scope / "intermediate" / "dense")
      output = Linear(c.intermediateWidth, c.width, initializer: normal, in: scope / "output" / "dense")
      outputNorm = LayerNorm(c.width, epsilon: c.layerNormEpsilon, in: scope / "output" / "LayerNorm")
    }

    /// `x [rows, length, width]`, `mask [rows, 1, 1, length]` added to the scores → `[rows, length, width]`.
    func callAsFunction(_ x: Tensor, _ mask: Tensor?, _ mode: Mode) -> Tensor {
      let attended = attentionNorm(x + mode.dropout(attention(x, mask, mode), configuration.hiddenDropout))
      let expanded = configuration.activation(intermediate(attended, mode))
      return outputNorm(attended + mode.dropout(output(expanded, mode), configuration.hiddenDropout))
    }

    private func attention(_ x: Tensor, _ mask: Tensor?, _ mode: Mode) -> Tensor {
      let rows = x.size(0), length = x.size(1)
      let heads = configuration.attentionHeads, headWidth = configuration.width / heads
      func split(_ y: Tensor) -> Tensor { y.reshaped(rows, length, heads, headWidth).transposed(1, 2) }
      let mixed = Tensor.attention(
        split(query(x, mode)), split(key(x, mode)), split(value(x, mode)), mask: mask,
        scale: 1 / Double(headWidth).squareRoot(),
        dropout: mode.isTraining ? configuration.attentionDropout : 0, generator: &mode.generator)
      return attentionOutput(mixed.transposed(1, 2).reshaped(rows, length, configuration.width), mode)
    }
  }
}
