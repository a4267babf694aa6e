public import Foundation
public import NN
public import Torch

/// The backbones that Jay knows, by `model_type`.
public enum ModelIndex {
  public struct Entry: Sendable {
    /// `model_type` in `config.json`.
    public let architecture: String
    public let summary: String
    /// Leading part of tensor names in checkpoints that wrap the backbone.
    var prefix = ""
    /// Leading part of the names of an encoder's pre-training head, which stands outside that prefix.
    var head: String?
    /// Names in checkpoints of copies of a weight, by the parameter that they repeat. A head that differs from the
    /// embeddings is a weight of its own whatever config.json says, as in transformers 5.23 (`tie_weights`).
    var copies: [String: [String]] = [:]
    /// Leading part of the names of a head for one task, which does not fit an encoder that has learned others.
    var taskHead: String?
    var encoder: Make<any TextEncoder>?
    var masked: Make<any MaskedLanguageModel>?
    var causal: Make<any CausalLanguageModel>?
    var sequenceToSequence: Make<any SequenceToSequenceModel>?
    /// Tensors of a checkpoint that Jay does not train (pooler, other heads, copies of tied weights).
    let isUnused: @Sendable (String) -> Bool
  }

  typealias Make<Model> = @Sendable (ModelDirectory, Scope) throws -> Model

  public static let entries =
    [
      bert("bert", "BERT-family encoders (BERT, MiniLM, …)", head: "cls."),
      bert("roberta", "RoBERTa encoders", head: "lm_head."),
      bert("xlm-roberta", "RoBERTa encoders of many languages (XLM-R)", head: "lm_head."),
      Entry(
        architecture: "t5", summary: "T5 encoder-decoders (T5, T5 v1.1, Flan-T5)",
        copies: ["shared.weight": ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"]],
        sequenceToSequence: { directory, scope in
          var configuration = try directory.decode(T5.Configuration.self)
          // transformers 5.23 ties the heads of all T5, v1.1 included, and writes no copy.
          let hasHead = directory.names.isEmpty || directory.file(of: "lm_head.weight") != nil
          configuration.tiesHead =
            !hasHead || configuration.tiesHead && !directory.differ("lm_head.weight", "shared.weight")
          return T5(configuration, in: scope)
        },
        isUnused: {
          $0.hasSuffix("embed_tokens.weight") || $0 == "lm_head.weight"
            || $0.hasSuffix("EncDecAttention.relative_attention_bias.weight")
        }),
      llama("llama", "Llama-family decoders (Llama 2, Llama 3)"),
      llama("mistral", "Mistral decoders"),
      llama("qwen2", "Qwen2 and Qwen2.5 decoders"),
      llama("qwen3", "Qwen3 decoders"),
    ]

  private static func bert(_ architecture: String, _ summary: String, head: String) -> Entry {
    let predictions = architecture == "bert" ? "cls.predictions." : "lm_head."
    return Entry(
      architecture: architecture, summary: summary,
      prefix: architecture == "bert" ? "bert." : "roberta.", head: head,
      copies: [
        "embeddings.word_embeddings.weight": [predictions + "decoder.weight"],
        predictions + "bias": [predictions + "decoder.bias"],
      ],
      taskHead: "classifier.",
      encoder: { try BERT($0.decode(BERT.Configuration.self), in: $1) },
      masked: { try MaskedBERT($0.decode(BERT.Configuration.self), in: $1) },
      isUnused: {
        $0.contains("pooler.") || $0.hasPrefix(head) || $0.hasPrefix("classifier.") || $0.hasSuffix("position_ids")
      })
  }

  private static func llama(_ architecture: String, _ summary: String) -> Entry {
    Entry(
      architecture: architecture, summary: summary,
      copies: ["model.embed_tokens.weight": ["lm_head.weight"]],
      causal: { directory, scope in
        var configuration = try directory.decode(Llama.Configuration.self)
        configuration.tiesHead =
          configuration.tiesHead && !directory.differ("lm_head.weight", "model.embed_tokens.weight")
        return Llama(configuration, in: scope)
      },
      isUnused: { $0 == "lm_head.weight" || $0.hasSuffix("rotary_emb.inv_freq") })
  }
}

extension ModelIndex {
  /// What reads and what writes in a model.
  public enum Family: String, Sendable {
    case encoder, decoder
    case encoderDecoder = "encoder-decoder"
  }

  /// The family of models of this type; an encoder where the type is not known.
  public static func family(_ architecture: String) -> Family {
    guard let entry = entries.first(where: { $0.architecture == architecture }) else { return .encoder }
    return entry.encoder != nil ? .encoder : entry.causal != nil ? .decoder : .encoderDecoder
  }

  /// Whether models of this type answer in text.
  public static func answersInText(_ architecture: String) -> Bool { family(architecture) != .encoder }

  /// What a model is loaded for.
  public enum Use: Sendable {
    /// To learn tasks: an encoder gets heads on its pooled vectors, with dropout in training; a language model answers in
    /// text and reads neither of the two.
    case tasks(pooling: EncoderClassifier.Pooling, dropout: Double)
    /// To be pretrained: an encoder predicts hidden tokens, a language model writes.
    case pretraining
  }

  /// Loads what a run trains.
  public static func load(_ url: URL, for use: Use, _ loading: Loading) throws -> any TaskModel {
    let directory = try ModelDirectory(url, needsWeights: !loading.startsFresh)
    guard answersInText(directory.architecture) else {
      switch use {
      case .tasks(let pooling, let dropout):
        let (encoder, scope) = try build(url, loading, \.encoder)
        return EncoderClassifier(
          encoder, pooling: pooling, dropout: dropout, heads: scope.fresh(.head, seed: loading.seed))
      case .pretraining:
        let (model, scope) = try build(url, loading, \.masked)
        return MaskedPredictor(model, parameters: scope.store)
      }
    }
    let endTokens = try directory.endTokens()
    if family(directory.architecture) == .encoderDecoder {
      let (model, scope) = try build(url, loading, \.sequenceToSequence)
      return Seq2SeqAnswerer(model, parameters: scope.store, endTokens: endTokens)
    }
    let (model, scope) = try build(url, loading, \.causal)
    return CausalAnswerer(model, parameters: scope.store, endTokens: endTokens)
  }

  /// How a model is loaded.
  public struct Loading: Sendable {
    /// The compute dtype; the values that train are kept in float32.
    public var dtype = DType.float32
    /// Where the weights lie.
    public var device = Device.cpu
    /// Of fresh parameters.
    public var seed: UInt64 = 0
    /// Whether all weights are drawn anew, by `config.json` alone.
    public var startsFresh = false

    public init(dtype: DType, device: Device, seed: UInt64, startsFresh: Bool = false) {
      (self.dtype, self.device, self.seed, self.startsFresh) = (dtype, device, seed, startsFresh)
    }
  }

  /// Loads a model directory as an encoder with heads, none yet.
  /// - Parameters:
  ///   - url: the directory.
  ///   - pooling: how a text becomes one vector.
  ///   - dropout: on the pooled vector, in training.
  ///   - dtype: the compute dtype; the values that train are kept in float32.
  ///   - device: where the weights lie.
  ///   - seed: of fresh parameters (heads).
  public static func encoder(
    _ url: URL, pooling: EncoderClassifier.Pooling, dropout: Double, dtype: DType, device: Device, seed: UInt64
  ) throws -> EncoderClassifier {
    let (encoder, scope) = try build(url, Loading(dtype: dtype, device: device, seed: seed), \.encoder)
    return EncoderClassifier(encoder, pooling: pooling, dropout: dropout, heads: scope.fresh(.head, seed: seed))
  }

  /// Loads a model directory as an encoder with the head that predicts hidden tokens; where the checkpoint has no such
  /// head, its weights are drawn by `seed`.
  public static func loadMasked(
    _ url: URL, dtype: DType, device: Device, seed: UInt64
  ) throws -> Loaded<any MaskedLanguageModel> {
    let (model, scope) = try build(url, Loading(dtype: dtype, device: device, seed: seed), \.masked)
    return Loaded(model: model, parameters: scope.store)
  }

  /// Loads a model directory as a decoder.
  public static func loadCausal(
    _ url: URL, dtype: DType, device: Device, seed: UInt64
  ) throws -> Loaded<any CausalLanguageModel> {
    let (model, scope) = try build(url, Loading(dtype: dtype, device: device, seed: seed), \.causal)
    return Loaded(model: model, parameters: scope.store)
  }

  /// Loads a model directory as an encoder and a decoder.
  public static func loadSequenceToSequence(
    _ url: URL, dtype: DType, device: Device, seed: UInt64
  ) throws -> Loaded<any SequenceToSequenceModel> {
    let (model, scope) = try build(url, Loading(dtype: dtype, device: device, seed: seed), \.sequenceToSequence)
    return Loaded(model: model, parameters: scope.store)
  }

  private static func build<Model>(
    _ url: URL, _ loading: Loading, _ kind: KeyPath<Entry, Make<Model>?>
  ) throws -> (Model, Scope) {
    let directory = try ModelDirectory(url, needsWeights: !loading.startsFresh)
    let entry = try directory.entry()
    guard let make = entry[keyPath: kind] else {
      let fitting = entries.filter { $0[keyPath: kind] != nil }.map(\.architecture)
      throw ModelError.unfit(directory.architecture, url, fitting: fitting)
    }
    let source = CheckpointSource(directory, entry, dtype: loading.dtype)
    let scope = Scope(
      store: ParameterStore(), dtype: loading.dtype, device: loading.device, seed: loading.seed,
      source: loading.startsFresh ? nil : source)
    let model = try make(loading.startsFresh ? directory.withoutWeights : directory, scope)
    if !loading.startsFresh { try source.verify() }
    // In bfloat16 the float32 originals were read to be rounded; until something trains them nobody looks again.
    for file in directory.files { file.releasePages() }
    return (model, scope)
  }

  /// A model and its parameters.
  public struct Loaded<Model> {
    public let model: Model
    public let parameters: ParameterStore
  }
}
