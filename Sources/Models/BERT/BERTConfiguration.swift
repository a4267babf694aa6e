public import NN

extension BERT {
  /// The keys of a BERT or RoBERTa `config.json` that change the computation.
  public struct Configuration: Decodable, Sendable {
    public let vocabularySize: Int
    public let width: Int
    public let layers: Int
    public let attentionHeads: Int
    public let intermediateWidth: Int
    public let maxPositions: Int
    public let segmentTypes: Int
    public let activation: Activation
    public let hiddenDropout: Double
    public let attentionDropout: Double
    public let layerNormEpsilon: Double
    public let initializerDeviation: Double
    /// Row of the first token in the table of positions: 0, in RoBERTa the row behind the padding index's.
    public let firstPosition: Int
    /// Whether the second text of a pair has a vector of its own; RoBERTa gives every token the first one.
    public let readsSegments: Bool

    private enum CodingKeys: String, CodingKey {
      case type = "model_type"
      case paddingIndex = "pad_token_id"
      case vocabularySize = "vocab_size"
      case width = "hidden_size"
      case layers = "num_hidden_layers"
      case attentionHeads = "num_attention_heads"
      case intermediateWidth = "intermediate_size"
      case maxPositions = "max_position_embeddings"
      case segmentTypes = "type_vocab_size"
      case activation = "hidden_act"
      case hiddenDropout = "hidden_dropout_prob"
      case attentionDropout = "attention_probs_dropout_prob"
      case layerNormEpsilon = "layer_norm_eps"
      case initializerDeviation = "initializer_range"
      case isDecoder = "is_decoder"
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      vocabularySize = try values.decode(Int.self, forKey: .vocabularySize)
      width = try values.decode(Int.self, forKey: .width)
      layers = try values.decode(Int.self, forKey: .layers)
      attentionHeads = try values.decode(Int.self, forKey: .attentionHeads)
      intermediateWidth = try values.decode(Int.self, forKey: .intermediateWidth)
      // The defaults of the reference's BertConfig.
      maxPositions = try values.decodeIfPresent(Int.self, forKey: .maxPositions) ?? 512
      segmentTypes = try values.decodeIfPresent(Int.self, forKey: .segmentTypes) ?? 2
      activation = try values.decodeIfPresent(Activation.self, forKey: .activation) ?? .gelu
      hiddenDropout = try values.decodeIfPresent(Double.self, forKey: .hiddenDropout) ?? 0.1
      attentionDropout = try values.decodeIfPresent(Double.self, forKey: .attentionDropout) ?? 0.1
      layerNormEpsilon = try values.decodeIfPresent(Double.self, forKey: .layerNormEpsilon) ?? 1e-12
      initializerDeviation = try values.decodeIfPresent(Double.self, forKey: .initializerDeviation) ?? 0.02
      let type = try values.decode(String.self, forKey: .type)
      readsSegments = type == "bert"
      firstPosition =
        readsSegments
        ? 0 : min(try values.decodeIfPresent(Int.self, forKey: .paddingIndex) ?? 1, Int(Int32.max)) + 1
      if try values.decodeIfPresent(Bool.self, forKey: .isDecoder) ?? false {
        throw DecodingError.dataCorruptedError(
          forKey: .isDecoder, in: values,
          debugDescription: "Jay reads encoders of this family, whose tokens see those behind them too")
      }
      try Self.requireSizes(
        values,
        [
          (.vocabularySize, vocabularySize), (.width, width), (.layers, layers), (.attentionHeads, attentionHeads),
          (.intermediateWidth, intermediateWidth), (.maxPositions, maxPositions), (.segmentTypes, segmentTypes),
        ])
      guard (0..<maxPositions).contains(firstPosition) else {
        throw DecodingError.dataCorruptedError(
          forKey: .paddingIndex, in: values,
          debugDescription: "the first position, \(firstPosition), is not one of \(maxPositions)")
      }
      guard width % attentionHeads == 0 else {
        throw DecodingError.dataCorruptedError(
          forKey: .attentionHeads, in: values,
          debugDescription: "hidden_size \(width) is not a multiple of num_attention_heads \(attentionHeads)")
      }
    }

    private static func requireSizes(
      _ values: KeyedDecodingContainer<CodingKeys>, _ sizes: [(CodingKeys, Int)]
    ) throws {
      for (key, size) in sizes where size < 1 || size > Int32.max {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "\(size) is not a number from 1 to \(Int32.max)")
      }
    }
  }
}
