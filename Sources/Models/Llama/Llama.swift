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
    rotary = RotaryEmbedding(configuration.rope, width: configuration.headWidth)
  }

  public var width: Int { configuration.width }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maxLength: Int { configuration.maxPositions }

  public func hidden(
    _ tokens: Tensor, mask: Tensor?, documents: PackedDocuments?, cache: KeyValueCache?, _ mode: Mode
  ) -> Tensor {
    precondition(documents == nil || cache == nil, "Llama: packed documents cannot be read with a cache")
    var x = words(tokens)
    let prompt = entering(x, mask: mask, cache, mode)
    if let prompt { x = .concatenated([prompt, x], 1) }
    precondition(prompt == nil || documents == nil, "Llama: packed documents cannot be read behind a prompt")
    let before = cache?.prompt ?? prompt?.size(1) ?? 0
    let mask = mask?.widened(by: before)
    let new = x.size(1), total = before + (cache?.length ?? 0) + tokens.size(1)
    if let mask {
      precondition(mask.shape == [tokens.size(0), total], "Llama: the mask is \(mask.shape), not [rows, \(total)]")
    }
    let prefix = layers.first?.prefix.count ?? 0
    let places =
      documents?.positions ?? Self.positions(new: new, total: total, mask: mask, device: tokens.device)
    let angles = rotary.angles(prefix == 0 ? places : (places + Double(prefix)).to(.int64), dtype: x.dtype)
    var masks: [Int?: Tensor] = [:]
    for window in Set(configuration.windows.map { window in window.flatMap { $0 < total ? $0 : nil } }) {
      // One new token with nothing padded and no window sees everything.
      if new == 1, mask == nil, window == nil { continue }
      let mask = AttentionMask.causal(
        new: new, total: total, window: window, padding: mask, documents: documents, dtype: x.dtype, device: x.device)
      masks[window] = AttentionMask.behind(prefix, mask)
    }
    for (index, layer) in layers.enumerated() {
      let window = configuration.windows[index].flatMap { $0 < total ? $0 : nil }
      x = layer(x, angles, masks[window], cache.map { ($0, index) }, mode)
    }
    cache?.advance(by: tokens.size(1))
    return norm(prompt == nil ? x : x.narrowed(1, new - tokens.size(1)..<new))
  }

  /// The positions of the last `new` of `total` tokens, int64 `[rows or 1, new]`.
  private static func positions(new: Int, total: Int, mask: Tensor?, device: Device) -> Tensor {
    guard let mask else { return Tensor.arange(total - new..<total, device: device).unsqueezed(0) }
    // A token's position is the number of tokens before it, wherever the padding stands.
    let counted = (mask.cumulativeSum(1) - 1).clamped(0...Double(total)).to(.int64)
    return counted.narrowed(1, total - new..<total)
  }

  /// The prompt's vectors, unless the cache holds them already.
  private func entering(_ embedded: Tensor, mask: Tensor?, _ cache: KeyValueCache?, _ mode: Mode) -> Tensor? {
    if let cache, cache.length > 0 { return nil }
    let prompt = prompts(embedded, mask: mask, mode)
    cache?.reserve(prompt: prompt?.size(1) ?? 0)
    return prompt
  }

  public func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor { head(hidden, mode) }

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

    /// `x [rows, new, width]`, `mask [rows or 1, 1, new, total]` added to the scores → `[rows, new, width]`.
    func callAsFunction(
      _ x: Tensor, _ angles: (cos: Tensor, sin: Tensor), _ mask: Tensor?, _ cache: (KeyValueCache, layer: Int)?,
      _ mode: Mode
    ) -> Tensor {
      let attended = x + attention(inputNorm(x), angles, mask, cache, mode)
      let y = outputNorm(attended)
      return attended + down(configuration.activation(gate(y, mode)) * up(y, mode), mode)
    }

    private func attention(
      _ x: Tensor, _ angles: (cos: Tensor, sin: Tensor), _ mask: Tensor?, _ cache: (KeyValueCache, layer: Int)?,
      _ mode: Mode
    ) -> Tensor {
      let rows = x.size(0), length = x.size(1), headWidth = configuration.headWidth
      func split(_ y: Tensor, _ heads: Int, _ norm: RMSNorm?) -> Tensor {
        let parts = y.reshaped(rows, length, heads, headWidth)
        return (norm.map { $0(parts) } ?? parts).transposed(1, 2)
      }
      let queries = RotaryEmbedding.rotate(split(query(x, mode), configuration.attentionHeads, queryNorm), angles)
      var keys = RotaryEmbedding.rotate(split(key(x, mode), configuration.keyValueHeads, keyNorm), angles)
      var values = split(value(x, mode), configuration.keyValueHeads, nil)
      if let (cache, layer) = cache { (keys, values) = cache.append(keys, values, layer: layer) }
      (keys, values) = prefix(keys, values)
      let mixed = Tensor.attention(
        queries, shared(keys), shared(values), mask: mask, scale: 1 / Double(headWidth).squareRoot(),
        dropout: mode.isTraining ? configuration.attentionDropout : 0, generator: &mode.generator)
      return attentionOutput(mixed.transposed(1, 2).reshaped(rows, length, -1), mode)
    }

    /// `[rows, keyValueHeads, ...]` → `[rows, attentionHeads, ...]`, each repeated for the queries that share it.
    private func shared(_ x: Tensor) -> Tensor {
      let times = configuration.attentionHeads / configuration.keyValueHeads
      guard times > 1 else { return x }
      let shape = [x.size(0), x.size(1), times, x.size(2), x.size(3)]
      return x.unsqueezed(2).expanded(shape).reshaped([shape[0], shape[1] * times, shape[3], shape[4]])
    }
  }
}
