public import NN

extension Llama {
  /// The keys of a `config.json` of the Llama family (Llama 2 and 3, Mistral, Qwen2, Qwen3) that change the computation.
  public struct Configuration: Decodable, Sendable {
    public let vocabularySize: Int
    public let width: Int
    public let intermediateWidth: Int
    public let layers: Int
    public let attentionHeads: Int
    /// Heads of keys and values, each shared by as many heads of queries.
    public let keyValueHeads: Int
    public let headWidth: Int
    public let activation: Activation
    public let maxPositions: Int
    public let normEpsilon: Double
    public let rope: RotaryEmbedding.Configuration
    /// Bias of queries, keys and values, and of the attention's output.
    public let hasAttentionBias: (input: Bool, output: Bool)
    public let hasFeedForwardBias: Bool
    /// Whether queries and keys are normalised in each head (Qwen3).
    public let normalisesHeads: Bool
    /// Whether the head is the word embeddings.
    public internal(set) var tiesHead: Bool
    /// Probability of dropping an attention weight in training.
    public let attentionDropout: Double
    /// For each layer, how many tokens a token sees, itself included; nil for all before it.
    public let windows: [Int?]
    public let initializerDeviation: Double

    private enum CodingKeys: String, CodingKey {
      case type = "model_type"
      case vocabularySize = "vocab_size"
      case width = "hidden_size"
      case intermediateWidth = "intermediate_size"
      case layers = "num_hidden_layers"
      case attentionHeads = "num_attention_heads"
      case keyValueHeads = "num_key_value_heads"
      case headWidth = "head_dim"
      case activation = "hidden_act"
      case maxPositions = "max_position_embeddings"
      case normEpsilon = "rms_norm_eps"
      case attentionBias = "attention_bias"
      case feedForwardBias = "mlp_bias"
      case tiesHead = "tie_word_embeddings"
      case window = "sliding_window"
      case usesWindow = "use_sliding_window"
      case fullLayers = "max_window_layers"
      case layerTypes = "layer_types"
      case attentionDropout = "attention_dropout"
      case initializerDeviation = "initializer_range"
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      let type = try values.decode(String.self, forKey: .type)
      vocabularySize = try values.decode(Int.self, forKey: .vocabularySize)
      width = try values.decode(Int.self, forKey: .width)
      intermediateWidth = try values.decode(Int.self, forKey: .intermediateWidth)
      layers = try values.decode(Int.self, forKey: .layers)
      attentionHeads = try values.decode(Int.self, forKey: .attentionHeads)
      // The defaults of the reference's configurations.
      let heads = ["mistral": 8, "qwen2": 32, "qwen3": 32]
      keyValueHeads =
        try values.contains(.keyValueHeads)
        ? values.decode(Int?.self, forKey: .keyValueHeads) ?? attentionHeads : heads[type] ?? attentionHeads
      headWidth =
        try values.decodeIfPresent(Int.self, forKey: .headWidth)
        ?? (type == "qwen3" ? 128 : width / max(1, attentionHeads))
      activation = try values.decodeIfPresent(Activation.self, forKey: .activation) ?? .silu
      maxPositions =
        try values.decodeIfPresent(Int.self, forKey: .maxPositions)
        ?? (["mistral": 131_072, "qwen2": 32_768, "qwen3": 32_768][type] ?? 2048)
      normEpsilon = try values.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? 1e-6
      rope = try RotaryEmbedding.Configuration(from: decoder)
      let bias = try values.decodeIfPresent(Bool.self, forKey: .attentionBias) ?? false
      hasAttentionBias = type == "qwen2" ? (true, false) : (bias, bias)
      hasFeedForwardBias = try values.decodeIfPresent(Bool.self, forKey: .feedForwardBias) ?? false
      normalisesHeads = type == "qwen3"
      tiesHead = try values.decodeIfPresent(Bool.self, forKey: .tiesHead) ?? false
      attentionDropout = try values.decodeIfPresent(Double.self, forKey: .attentionDropout) ?? 0
      windows = try Self.windows(values, type: type, layers: layers)
      initializerDeviation = try values.decodeIfPresent(Double.self, forKey: .initializerDeviation) ?? 0.02
      try check(values)
    }

    private static func windows(
      _ values: KeyedDecodingContainer<CodingKeys>, type: String, layers: Int
    ) throws -> [Int?] {
      let count = min(max(0, layers), Int(Int16.max))
      let isUsed =
        switch type {
        case "mistral": true
        case "qwen2", "qwen3": try values.decodeIfPresent(Bool.self, forKey: .usesWindow) ?? false
        default: false
        }
      let window = values.contains(.window) ? try values.decode(Int?.self, forKey: .window) : 4096
      guard isUsed, let window else { return Array(repeating: nil, count: count) }
      guard (1...Int(Int32.max)).contains(window) else {
        throw DecodingError.dataCorruptedError(
          forKey: .window, in: values, debugDescription: "\(window) is not a number from 1 to \(Int32.max)")
      }
      if type == "mistral" { return Array(repeating: window, count: count) }
      if let types = try values.decodeIfPresent([String].self, forKey: .layerTypes) {
        guard types.count == layers else {
          throw DecodingError.dataCorruptedError(
            forKey: .layerTypes, in: values, debugDescription: "\(types.count) types for \(layers) layers")
        }
        return types.map { $0 == "sliding_attention" ? window : nil }
      }
      let full = try values.decodeIfPresent(Int.self, forKey: .fullLayers) ?? 28
      return (0..<count).map { $0 >= full ? window : nil }
    }

    private func check(_ values: KeyedDecodingContainer<CodingKeys>) throws {
      let sizes: [(CodingKeys, Int)] = [
        (.vocabularySize, vocabularySize), (.width, width), (.intermediateWidth, intermediateWidth), (.layers, layers),
        (.attentionHeads, attentionHeads), (.keyValueHeads, keyValueHeads), (.headWidth, headWidth),
        (.maxPositions, maxPositions),
      ]
      for (key, size) in sizes where size < 1 || size > Int32.max {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "\(size) is not a number from 1 to \(Int32.max)")
      }
      guard layers <= Int16.max else {
        throw DecodingError.dataCorruptedError(
          forKey: .layers, in: values, debugDescription: "\(layers) is not a number from 1 to \(Int16.max)")
      }
      guard headWidth % 2 == 0 else {
        throw DecodingError.dataCorruptedError(
          forKey: .headWidth, in: values, debugDescription: "a rotary embedding needs an even width, not \(headWidth)")
      }
      guard attentionHeads % keyValueHeads == 0 else {
        throw DecodingError.dataCorruptedError(
          forKey: .keyValueHeads, in: values,
          debugDescription: "num_attention_heads \(attentionHeads) is not a multiple of it (\(keyValueHeads))")
      }
    }
  }
}
