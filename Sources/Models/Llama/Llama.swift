public import NN
public import Torch

/// The Llama decoder and its relatives (Touvron et al. 2023, arXiv 2307.09288; Llama 3, Mistral, Qwen2, Qwen3), which
/// differ by configuration only: grouped queries, rotary positions, biases, normalised heads, a sliding window.
/// Golden: `llama-*`, huggingface/transformers 5.23.
public final class Llama: CausalLanguageModel {
  public let configuration: Configuration
  private let words: Embedding
  private let prompts: PromptSlot
  private let layers: [Layer]
  private let norm: RMSNorm
  private let head: Linear
  private let rotary: RotaryEmbedding

  public init(_ configuration: Configuration, in scope: Scope) {
    self.configuration = configuration
    let model = scope / "model"
    let normal = Initializer.normal(deviation: configuration.initializerDeviation)
    words = Embedding(
      configuration.vocabularySize, configuration.width, initializer: normal, in: model / "embed_tokens")
    prompts = PromptSlot(words, in: scope)
    layers = (0..<configuration.layers).map { Layer(configuration, in: model / "layers" / $0) }
    norm = RMSNorm(configuration.width, epsilon: configuration.normEpsilon, in: model / "norm")
    head =
      configuration.tiesHead
      ? Linear(tiedTo: words.weight, in: scope)
      : Linear(
        configuration.width, configuration.vocabularySize, bias: false, initializer: normal, in: scope / "lm_head")
    rotary = RotaryEmbedding(configuration.rope, width: configuration.headWidth, device: scope.device)
  }

  public var width: Int { configuration.width }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maxLength: Int { configuration.maxPositions }

  public func hidden(_ tokens: Tensor, _ placement: Placement, cache: KeyValueCache?, _ mode: Mode) -> Tensor {
    var x = words(tokens), placement = placement
    let prompt = entering(x, placement, cache, mode)
    if let prompt { x = .concatenated([prompt, x], 1) }
    let before = cache?.prompt ?? prompt?.size(1) ?? 0
    if before > 0 { placement = placement.behind(before, isRead: prompt != nil) }
    let total = placement.keys.size(1), prefix = layers.first?.prefix.count ?? 0
    if cache == nil, prefix == 0, let texts = Unpadded(x, placement, mode) {
      x = run(x, texts, placement.queries, mode)
      return prompt == nil ? x : x.narrowed(1, before..<before + tokens.size(1))
    }
    let places = prefix == 0 ? placement.queries : (placement.queries + Double(prefix)).to(.int64)
    let angles = rotary.angles(places, dtype: x.dtype)
    let windows = configuration.windows.map { window in window.flatMap { $0 < total ? $0 : nil } }
    // Where nothing is padded, an accelerator's kernel needs no mask.
    var needsMask = true
    if x.device.runsBehind, cache == nil, before + prefix == 0, case .texts(mask: nil) = placement.order {
      needsMask = false
    }
    func sight(_ window: Int?) -> Sight {
      guard needsMask || window != nil else { return .before }
      let mask = AttentionMask.seen(placement, window: window, dtype: x.dtype)
      return .masked(mask.map { AttentionMask.behind(prefix, $0) })
    }
    let sights = Dictionary(uniqueKeysWithValues: Set(windows).map { ($0, sight($0)) })
    mode.overPadding(placement.tokens) {
      for (index, layer) in layers.enumerated() {
        x = layer(x, angles, sights[windows[index]] ?? .masked(nil), cache.map { ($0, index) }, mode)
      }
    }
    cache?.advance(by: tokens.size(1))
    return norm(prompt == nil ? x : x.narrowed(1, before..<before + tokens.size(1)))
  }

  /// The layers over the tokens of `x [rows, length, width]`, whose places are `[rows or 1, length]`.
  private func run(_ x: Tensor, _ texts: Unpadded, _ places: Tensor, _ mode: Mode) -> Tensor {
    mode.rowsOfTokens = texts.rowsOfTokens
    defer { mode.rowsOfTokens = nil }
    let angles = rotary.angles(texts.packed(places.expanded([x.size(0), x.size(1)])), dtype: x.dtype)
    var y = texts.packed(x)
    for (index, layer) in layers.enumerated() {
      let spans = Spans(texts.starts, isCausal: true, window: configuration.windows[index])
      y = layer(y, angles, .texts(spans), nil, mode)
    }
    return texts.padded(norm(y))
  }

  /// The prompt's vectors, unless the cache holds them already.
  private func entering(
    _ embedded: Tensor, _ placement: Placement, _ cache: KeyValueCache?, _ mode: Mode
  ) -> Tensor? {
    if let cache, cache.length > 0 { return nil }
    let prompt = prompts(embedded, mask: placement.mask, mode)
    cache?.reserve(prompt: prompt?.size(1) ?? 0)
    return prompt
  }

  public func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor { head.scores(hidden, mode) }

  final class Layer {
    private let inputNorm: RMSNorm, outputNorm: RMSNorm
    private let query: Linear, key: Linear, value: Linear, attentionOutput: Linear
    private let queryNorm: RMSNorm?, keyNorm: RMSNorm?
    let prefix: PrefixSlot
    private let gate: Linear, up: Linear, down: Linear
    private let configuration: Configuration

    init(_ c: Configuration, in scope: Scope) {
      configuration = c
      let attention = scope / "self_attn", feedForward = scope / "mlp"
      func linear(_ inputs: Int, _ outputs: Int, _ bias: Bool, _ scope: Scope) -> Linear {
        Linear(inputs, outputs, bias: bias, initializer: .normal(deviation: c.initializerDeviation), in: scope)
      }
      let queries = c.attentionHeads * c.headWidth, keys = c.keyValueHeads * c.headWidth
      inputNorm = RMSNorm(c.width, epsilon: c.normEpsilon, in: scope / "input_layernorm")
      query = linear(c.width, queries, c.hasAttentionBias.input, attention / "q_proj")
      key = linear(c.width, keys, c.hasAttentionBias.input, attention / "k_proj")
      value = linear(c.width, keys, c.hasAttentionBias.input, attention / "v_proj")
      attentionOutput = linear(queries, c.width, c.hasAttentionBias.output, attention / "o_proj")
      queryNorm =
        c.normalisesHeads ? RMSNorm(c.headWidth, epsilon: c.normEpsilon, in: attention / "q_norm") : nil
      keyNorm = c.normalisesHeads ? RMSNorm(c.headWidth, epsilon: c.normEpsilon, in: attention / "k_norm") : nil
      prefix = PrefixSlot(heads: c.keyValueHeads, headWidth: c.headWidth, in: attention)
      outputNorm = RMSNorm(c.width, epsilon: c.normEpsilon, in: scope / "post_attention_layernorm")
      gate = linear(c.width, c.intermediateWidth, c.hasFeedForwardBias, feedForward / "gate_proj")
      up = linear(c.width, c.intermediateWidth, c.hasFeedForwardBias, feedForward / "up_proj")
      down = linear(c.intermediateWidth, c.width, c.hasFeedForwardBias, feedForward / "down_proj")
    }

    /// `[rows, new, width]` → `[rows, new, width]`.
    func callAsFunction(
      _ x: Tensor, _ angles: (cos: Tensor, sin: Tensor), _ sight: Sight, _ cache: (KeyValueCache, layer: Int)?,
      _ mode: Mode
    ) -> Tensor {
      let attended = x + attention(inputNorm(x), angles, sight, cache, mode)
      let y = outputNorm(attended)
      let inner = Linear.sideBySide([gate, up], y, mode)
      return attended + down(configuration.activation(inner[0]) * inner[1], mode)
    }

    private func attention(
      _ x: Tensor, _ angles: (cos: Tensor, sin: Tensor), _ sight: Sight, _ cache: (KeyValueCache, layer: Int)?,
      _ mode: Mode
    ) -> Tensor {
      let headWidth = configuration.headWidth, scale = 1 / Double(headWidth).squareRoot()
      func split(_ y: Tensor, _ heads: Int, _ norm: RMSNorm?) -> Tensor {
        let parts = y.reshaped(x.size(0), x.size(1), heads, headWidth)
        return norm.map { $0(parts) } ?? parts
      }
      let read = Linear.sideBySide([query, key, value], x, mode)
      var queries = split(read[0], configuration.attentionHeads, queryNorm)
      var keys = split(read[1], configuration.keyValueHeads, keyNorm)
      var values = split(read[2], configuration.keyValueHeads, nil)
      if let (cache, layer) = cache, x.size(1) == 1, cache.length > 0, prefix.count == 0, x.device == .cpu,
        case .masked(let mask) = sight
      {
        let mixed = cache.attend(
          queries.squeezed(1), (keys.squeezed(1), values.squeezed(1)), angles: angles, mask: mask, scale: scale,
          layer: layer)
        return attentionOutput(mixed.reshaped(x.size(0), 1, -1), mode)
      }
      queries = RotaryEmbedding.rotate(queries, angles)
      keys = RotaryEmbedding.rotate(keys, angles)
      if let (cache, layer) = cache {
        let all = cache.append(keys.transposed(1, 2), values.transposed(1, 2), layer: layer)
        (keys, values) = (all.keys.transposed(1, 2), all.values.transposed(1, 2))
      }
      let mixed = Tensor.attention(
        queries, keys, values, sight, prefix: prefix, scale: scale, dropout: configuration.attentionDropout, mode)
      return attentionOutput(mixed, mode)
    }
  }
}
