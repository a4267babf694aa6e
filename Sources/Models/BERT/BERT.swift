public import NN
public import Torch

/// The BERT encoder (Devlin et al. 2019, arXiv 1810.04805), post-layer-norm, absolute positions; RoBERTa (Liu et al.
/// 2019, arXiv 1907.11692) and XLM-R are the same encoder with other positions and without segments.
/// Golden: `bert-tiny`, `minilm` and `roberta-tiny`, huggingface/transformers 5.23 `BertModel`, `RobertaModel`.
public final class BERT: TextEncoder {
  public let configuration: Configuration
  let embeddings: Embeddings
  private let prompts: PromptSlot
  private let layers: [Layer]

  public init(_ configuration: Configuration, in scope: Scope) {
    self.configuration = configuration
    embeddings = Embeddings(configuration, in: scope / "embeddings")
    prompts = PromptSlot(embeddings.words, in: scope)
    layers = (0..<configuration.layers).map { Layer(configuration, in: scope / "encoder" / "layer" / $0) }
  }

  public var width: Int { configuration.width }
  public var attentionHeads: Int { configuration.attentionHeads }
  public var maxLength: Int { configuration.maxPositions - configuration.firstPosition }

  public func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    let words = embeddings.words(batch.tokens)
    let prompt = prompts(words, mask: batch.mask, mode)
    let count = prompt?.size(1) ?? 0
    precondition(count == 0 || batch.documents == nil, "BERT: packed documents cannot be read behind a prompt")
    let prefix = layers.first?.prefix.count ?? 0
    var x = embeddings(
      prompt.map { .concatenated([$0, words], 1) } ?? words, batch, prompt: count, behind: prefix, mode)
    let mask = batch.mask?.widened(by: count)
    if prefix == 0, let tokens = Unpadded(x, mask: mask, documents: batch.documents, mode) {
      mode.rowsOfTokens = tokens.rowsOfTokens
      x = tokens.padded(run(tokens.packed(x), .texts(Spans(tokens.starts)), mode))
      mode.rowsOfTokens = nil
    } else {
      let seen =
        batch.documents.map { AttentionMask.documents($0, dtype: x.dtype) }
        ?? mask.map { AttentionMask.padding($0, dtype: x.dtype) }
      x = mode.overPadding(batch.documents?.mask ?? mask) {
        run(x, .masked(seen.map { AttentionMask.behind(prefix, $0) }), mode)
      }
    }
    return count == 0 ? x : x.narrowed(1, count..<x.size(1))
  }

  private func run(_ x: Tensor, _ sight: Sight, _ mode: Mode) -> Tensor {
    layers.reduce(x) { x, layer in layer(x, sight, mode) }
  }

  final class Embeddings {
    let words: Embedding
    private let positions: Embedding, segments: Embedding
    private let norm: LayerNorm
    private let configuration: Configuration

    init(_ c: Configuration, in scope: Scope) {
      let normal = Initializer.normal(deviation: c.initializerDeviation)
      words = Embedding(c.vocabularySize, c.width, initializer: normal, in: scope / "word_embeddings")
      positions = Embedding(c.maxPositions, c.width, initializer: normal, in: scope / "position_embeddings")
      segments = Embedding(c.segmentTypes, c.width, initializer: normal, in: scope / "token_type_embeddings")
      norm = LayerNorm(c.width, epsilon: c.layerNormEpsilon, in: scope / "LayerNorm")
      configuration = c
    }

    /// Adds positions and segments to the embeddings of `prompt` vectors, which belong to the first segment, and of the
    /// batch's tokens; positions begin behind a prefix. They count columns, in RoBERTa the tokens that are not padding
    /// (columns again behind a prompt, as in the reference).
    func callAsFunction(
      _ embedded: Tensor, _ batch: DeviceBatch, prompt count: Int, behind prefix: Int, _ mode: Mode
    ) -> Tensor {
      let first = configuration.firstPosition + prefix
      let position: Tensor
      if let documents = batch.documents {
        position = positions((documents.positions + Double(first)).to(.int64))
      } else if count == 0, let mask = batch.mask, countsTokens(mask) {
        let places = (mask.cumulativeSum(1) + Double(prefix)) * mask + Double(configuration.firstPosition - 1)
        position = positions(places.to(.int64))
      } else {
        position = positions.weight.value.narrowed(0, first..<first + embedded.size(1))
      }
      return mode.dropout(norm(embedded + segment(batch, prompt: count) + position), configuration.hiddenDropout)
    }

    /// Whether positions are other than columns. Padding on the right changes none that is read; to look where it stands
    /// would make a device wait.
    private func countsTokens(_ mask: Tensor) -> Bool {
      !configuration.readsSegments && (mask.device != .cpu || !mask.at(1, 0).isAllTrue())
    }

    private func segment(_ batch: DeviceBatch, prompt count: Int) -> Tensor {
      guard configuration.readsSegments else { return segments.weight.value.at(0, 0) }
      guard count > 0 else { return segments(batch.segments) }
      let before = Tensor.zeros([batch.rows, count], dtype: .int64, device: batch.device)
      return segments(.concatenated([before, batch.segments], 1))
    }
  }

  final class Layer {
    private let query: Linear, key: Linear, value: Linear, attentionOutput: Linear
    private let attentionNorm: LayerNorm
    let prefix: PrefixSlot
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
      prefix = PrefixSlot(heads: c.attentionHeads, headWidth: c.width / c.attentionHeads, in: attention / "self")
      intermediate = Linear(c.width, c.intermediateWidth, initializer: normal, in: scope / "intermediate" / "dense")
      output = Linear(c.intermediateWidth, c.width, initializer: normal, in: scope / "output" / "dense")
      outputNorm = LayerNorm(c.width, epsilon: c.layerNormEpsilon, in: scope / "output" / "LayerNorm")
    }

    /// `[rows, length, width]` → `[rows, length, width]`.
    func callAsFunction(_ x: Tensor, _ sight: Sight, _ mode: Mode) -> Tensor {
      let attended = attentionNorm(
        x, adding: attention(x, sight, mode), dropout: configuration.hiddenDropout, mode)
      let expanded = configuration.activation(intermediate(attended, mode))
      return outputNorm(attended, adding: output(expanded, mode), dropout: configuration.hiddenDropout, mode)
    }

    private func attention(_ x: Tensor, _ sight: Sight, _ mode: Mode) -> Tensor {
      let heads = configuration.attentionHeads, headWidth = configuration.width / heads
      func split(_ y: Tensor) -> Tensor { y.reshaped(x.size(0), x.size(1), heads, headWidth) }
      let mixed = Tensor.attention(
        split(query(x, mode)), split(key(x, mode)), split(value(x, mode)), sight, prefix: prefix,
        scale: 1 / Double(headWidth).squareRoot(), dropout: configuration.attentionDropout, mode)
      return attentionOutput(mixed, mode)
    }
  }
}
