public import NN
public import Torch

/// The T5 encoder and decoder (Raffel et al. 2020, arXiv 1910.10683), v1.0 and v1.1 (Flan): pre-norm by the root mean
/// square, relative position bias shared by the layers of a stack, no scale on the scores.
/// Golden: `t5-*`, huggingface/transformers 5.23 `T5ForConditionalGeneration`.
public final class T5: SequenceToSequenceModel {
  public let configuration: Configuration
  private let words: Embedding
  private let prompts: PromptSlot
  private let encoder: Stack
  private let decoder: Stack
  private let head: Linear

  public init(_ configuration: Configuration, in scope: Scope) {
    self.configuration = configuration
    let unit = Initializer.normal(deviation: 1)
    words = Embedding(configuration.vocabularySize, configuration.width, initializer: unit, in: scope / "shared")
    prompts = PromptSlot(words, places: [.front, .behind], in: scope)
    encoder = Stack(configuration, layers: configuration.encoderLayers, isDecoder: false, in: scope / "encoder")
    decoder = Stack(configuration, layers: configuration.decoderLayers, isDecoder: true, in: scope / "decoder")
    head =
      configuration.tiesHead
      ? Linear(tiedTo: words.weight, in: scope)
      : Linear(
        configuration.width, configuration.vocabularySize, bias: false, initializer: unit, in: scope / "lm_head")
  }

  public var width: Int { configuration.width }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maxLength: Int { configuration.maxLength }
  public var startToken: Int { configuration.startToken }

  public func encode(_ tokens: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor {
    var x = words(tokens)
    let front = prompts(x, mask: mask, mode), behind = prompts(x, mask: mask, mode, at: .behind)
    if front != nil || behind != nil { x = .concatenated([front, x, behind].compactMap(\.self), 1) }
    let places = Tensor.arange(0..<x.size(1), device: tokens.device)
    let bias = encoder.positions(queries: places, keys: places)
    let read = mask?.widened(by: front?.size(1) ?? 0, behind: behind?.size(1) ?? 0)
    if let texts = Unpadded(x, mask: read, mode) {
      mode.rowsOfTokens = texts.rowsOfTokens
      defer { mode.rowsOfTokens = nil }
      let sight = Sight.texts(Spans(texts.starts), bias: bias.at(0, 0))
      return texts.padded(encoder(texts.packed(x), sight, source: nil, cache: nil, mode))
    }
    let masked = read.map { bias + AttentionMask.padding($0, dtype: x.dtype) } ?? bias
    return mode.overPadding(read) { encoder(x, .masked(masked), source: nil, cache: nil, mode) }
  }

  public func decode(
    _ tokens: Tensor, _ placement: Placement, encoded: Tensor, mask: Tensor?, cache: KeyValueCache?, _ mode: Mode
  ) -> Tensor {
    let x = words(tokens)
    let prefix = decoder.layers.first?.attention.prefix?.count ?? 0
    var bias = bias(placement, behind: prefix, cache)
    // The mask is the text's; soft prompts' states stand around the text's.
    let behind = prompts.count(at: .behind)
    let read = mask.map { $0.widened(by: encoded.size(1) - $0.size(1) - behind, behind: behind) }
    if cache == nil, prefix == 0, case .texts(mask: nil) = placement.order,
      let texts = Unpadded(encoded, mask: read, mode)
    {
      let starts = (0...x.size(0)).map { Int64($0 * x.size(1)) }
      let source = Source(
        states: texts.packed(encoded), sight: .texts(Spans(starts, keys: texts.starts)), rows: texts.rowsOfTokens,
        mask: nil)
      return decoder(
        x, .texts(Spans(starts, isCausal: true), bias: bias.at(0, 0)), source: source, cache: nil, mode)
    }
    if let seen = AttentionMask.seen(placement, window: nil, dtype: x.dtype) {
      bias = bias + AttentionMask.behind(prefix, seen)
    }
    let sourceMask = read.map { read in
      let make = { AttentionMask.padding(read, dtype: x.dtype) }
      return cache?.encodedMask(make) ?? make()
    }
    let source = Source(states: encoded, sight: .masked(sourceMask), rows: nil, mask: read)
    let hidden = decoder(x, .masked(bias), source: source, cache: cache, mode)
    cache?.advance(by: tokens.size(1))
    return hidden
  }

  /// The bias of the placed tokens' positions, behind the vectors of a prefix: `[1, heads, new, total]`.
  private func bias(_ placement: Placement, behind prefix: Int, _ cache: KeyValueCache?) -> Tensor {
    let device = placement.queries.device
    if let cache, cache.length > 0, placement.queries.size(1) == 1, prefix == 0 {
      return cache.recency { count in
        let places = Tensor.arange(0..<count, device: device)
        return decoder.positions(queries: places.narrowed(0, count - 1..<count), keys: places)
      }
    }
    var queries = placement.queries.at(0, 0), keys = placement.keys.at(0, 0)
    if prefix > 0 {
      queries = (queries + Double(prefix)).to(.int64)
      keys = .concatenated([.arange(0..<prefix, device: device), (keys + Double(prefix)).to(.int64)], 0)
    }
    return decoder.positions(queries: queries, keys: keys)
  }

  public func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor {
    head.scores(configuration.scalesHeadInput ? hidden * (1 / Double(width).squareRoot()) : hidden, mode)
  }

  /// What a decoder reads of the encoder.
  struct Source {
    /// `[rows, source, width]`, or `[1, tokens, width]` where texts stand behind one another.
    let states: Tensor
    let sight: Sight
    /// int64 `[tokens]`: the row of each, in the latter case.
    let rows: Tensor?
    /// float32 `[rows, source]`, 1 for a token and 0 for padding; nil where nothing is padded.
    let mask: Tensor?
  }

  /// The layers of the encoder or of the decoder, with the positions that the first one holds for all.
  final class Stack {
    let positions: RelativePositions
    let layers: [Layer]
    private let norm: RMSNorm
    private let dropout: Double

    init(_ c: Configuration, layers count: Int, isDecoder: Bool, in scope: Scope) {
      let blocks = scope / "block"
      positions = RelativePositions(
        c, isBidirectional: !isDecoder, in: blocks / 0 / "layer" / 0 / "SelfAttention")
      layers = (0..<count).map { Layer(c, isDecoder: isDecoder, in: blocks / $0 / "layer") }
      norm = RMSNorm(c.width, epsilon: c.normEpsilon, in: scope / "final_layer_norm")
      dropout = c.dropout
    }

    /// - Parameters:
    ///   - embedded: `[rows, new, width]`.
    ///   - sight: which tokens see which, with the bias of their positions.
    ///   - source: what the decoder reads of the encoder; nil in the encoder.
    ///   - cache: of the decoder.
    ///   - mode: training or evaluation.
    func callAsFunction(
      _ embedded: Tensor, _ sight: Sight, source: Source?, cache: KeyValueCache?, _ mode: Mode
    ) -> Tensor {
      var x = mode.dropout(embedded, dropout)
      for (index, layer) in layers.enumerated() {
        x = layer(x, sight, source: source, cache: cache.map { ($0, index) }, mode)
      }
      return mode.dropout(norm(x), dropout)
    }
  }

  final class Layer {
    let attention: Attention
    private let crossAttention: Attention?, feedForward: FeedForward
    private let norm: RMSNorm, crossNorm: RMSNorm?, feedForwardNorm: RMSNorm
    private let dropout: Double

    init(_ c: Configuration, isDecoder: Bool, in scope: Scope) {
      func norm(_ index: Int) -> RMSNorm {
        RMSNorm(c.width, epsilon: c.normEpsilon, in: scope / index / "layer_norm")
      }
      let last = isDecoder ? 2 : 1
      attention = Attention(c, takesPrefix: isDecoder, in: scope / 0 / "SelfAttention")
      self.norm = norm(0)
      crossAttention = isDecoder ? Attention(c, in: scope / 1 / "EncDecAttention") : nil
      crossNorm = isDecoder ? norm(1) : nil
      feedForward = FeedForward(c, in: scope / last / "DenseReluDense")
      feedForwardNorm = norm(last)
      dropout = c.dropout
    }

    func callAsFunction(
      _ x: Tensor, _ sight: Sight, source: Source?, cache: (KeyValueCache, layer: Int)?, _ mode: Mode
    ) -> Tensor {
      var y = x + mode.dropout(attention(norm(x), sight, cache: cache, mode), dropout)
      if let crossAttention, let crossNorm, let source {
        let read = crossAttention(crossNorm(y), over: source, cache: cache, mode)
        y = y + mode.dropout(read, dropout)
      }
      return y + mode.dropout(feedForward(feedForwardNorm(y), mode), dropout)
    }
  }
}
