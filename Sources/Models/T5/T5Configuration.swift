public import NN

extension T5 {
  /// The keys of a T5 `config.json` that change the computation.
  public struct Configuration: Decodable, Sendable {
    public let vocabularySize: Int
    public let width: Int
    public let headWidth: Int
    public let intermediateWidth: Int
    public let encoderLayers: Int
    public let decoderLayers: Int
    public let attentionHeads: Int
    public let positionBuckets: Int
    /// Distances beyond it share the last bucket.
    public let maxDistance: Int
    public let activation: Activation
    /// Whether the activation of one layer multiplies the output of another (v1.1).
    public let isGated: Bool
    public let dropout: Double
    public let normEpsilon: Double
    /// Whether the head is the word embeddings: in v1.0, and wherever a checkpoint has no head of its own.
    public internal(set) var tiesHead: Bool
    /// Whether the head reads states times width^−0.5, the size that word embeddings are made for (v1.0).
    public let scalesHeadInput: Bool
    public let startToken: Int
    public let maxLength: Int

    private enum CodingKeys: String, CodingKey {
      case vocabularySize = "vocab_size"
      case width = "d_model"
      case headWidth = "d_kv"
      case intermediateWidth = "d_ff"
      case encoderLayers = "num_layers"
      case decoderLayers = "num_decoder_layers"
      case attentionHeads = "num_heads"
      case positionBuckets = "relative_attention_num_buckets"
      case maxDistance = "relative_attention_max_distance"
      case feedForward = "feed_forward_proj"
      case dropout = "dropout_rate"
      case normEpsilon = "layer_norm_epsilon"
      case tiesHead = "tie_word_embeddings"
      case scalesOutputs = "scale_decoder_outputs"
      case startToken = "decoder_start_token_id"
      case maxLength = "n_positions"
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      vocabularySize = try values.decode(Int.self, forKey: .vocabularySize)
      width = try values.decode(Int.self, forKey: .width)
      headWidth = try values.decode(Int.self, forKey: .headWidth)
      intermediateWidth = try values.decode(Int.self, forKey: .intermediateWidth)
      encoderLayers = try values.decode(Int.self, forKey: .encoderLayers)
      attentionHeads = try values.decode(Int.self, forKey: .attentionHeads)
      // The defaults of the reference's T5Config.
      decoderLayers = try values.decodeIfPresent(Int.self, forKey: .decoderLayers) ?? encoderLayers
      positionBuckets = try values.decodeIfPresent(Int.self, forKey: .positionBuckets) ?? 32
      maxDistance = try values.decodeIfPresent(Int.self, forKey: .maxDistance) ?? 128
      dropout = try values.decodeIfPresent(Double.self, forKey: .dropout) ?? 0.1
      normEpsilon = try values.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? 1e-6
      startToken = try values.decodeIfPresent(Int.self, forKey: .startToken) ?? 0
      maxLength = try values.decodeIfPresent(Int.self, forKey: .maxLength) ?? 512
      // Newer writers set `tie_word_embeddings` always, and tell v1.1 by the scale alone.
      scalesHeadInput =
        try values.decodeIfPresent(Bool.self, forKey: .scalesOutputs)
        ?? values.decodeIfPresent(Bool.self, forKey: .tiesHead) ?? true
      tiesHead = scalesHeadInput
      let name = try values.decodeIfPresent(String.self, forKey: .feedForward) ?? "relu"
      isGated = name.hasPrefix("gated-")
      let plain = isGated ? String(name.dropFirst("gated-".count)) : name
      // The reference's "gated-gelu" is the tanh form.
      guard let activation = name == "gated-gelu" ? Activation.geluTanh : Activation(rawValue: plain) else {
        throw DecodingError.dataCorruptedError(
          forKey: .feedForward, in: values,
          debugDescription: "'\(name)' is not supported. Supported: "
            + Activation.allCases.flatMap { [$0.rawValue, "gated-\($0.rawValue)"] }.joined(separator: ", "))
      }
      self.activation = activation
      try check(values)
    }

    private func check(_ values: KeyedDecodingContainer<CodingKeys>) throws {
      let most = Int(Int32.max)
      // Each distance has a place in a table.
      let places = 1 << 20
      let sizes: [(CodingKeys, Int, from: Int, to: Int)] = [
        (.vocabularySize, vocabularySize, 1, most), (.width, width, 1, most), (.headWidth, headWidth, 1, most),
        (.intermediateWidth, intermediateWidth, 1, most), (.encoderLayers, encoderLayers, 1, most),
        (.decoderLayers, decoderLayers, 1, most), (.attentionHeads, attentionHeads, 1, most),
        (.maxLength, maxLength, 1, most),
        // Each side of the encoder's buckets has at least one exact and one wide bucket.
        (.positionBuckets, positionBuckets, 4, places), (.maxDistance, maxDistance, positionBuckets / 2 + 1, places),
      ]
      for (key, size, least, most) in sizes where size < least || size > most {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values, debugDescription: "\(size) is not a number from \(least) to \(most)")
      }
    }
  }
}
