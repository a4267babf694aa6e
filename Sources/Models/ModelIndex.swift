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
    var encoder: Make<any TextEncoder>?
    var masked: Make<any MaskedLanguageModel>?
    var causal: Make<any CausalLanguageModel>?
    var sequenceToSequence: Make<any SequenceToSequenceModel>?
    /// Tensors of a checkpoint that Jay does not use (pooler, other heads, copies of tied weights).
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
        sequenceToSequence: { try T5($0.decode(T5.Configuration.self), in: $1) },
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
    Entry(
      architecture: architecture, summary: summary,
      prefix: architecture == "bert" ? "bert." : "roberta.", head: head,
      encoder: { try BERT($0.decode(BERT.Configuration.self), in: $1) },
      masked: { try MaskedBERT($0.decode(BERT.Configuration.self), in: $1) },
      isUnused: {
        $0.contains("pooler.") || $0.hasPrefix(head) || $0.hasPrefix("classifier.") || $0.hasSuffix("position_ids")
      })
  }

  private static func llama(_ architecture: String, _ summary: String) -> Entry {
    Entry(
      architecture: architecture, summary: summary,
      causal: { try Llama($0.decode(Llama.Configuration.self), in: $1) },
      isUnused: { $0 == "lm_head.weight" || $0.hasSuffix("rotary_emb.inv_freq") })
  }
}

extension ModelIndex {
  /// Whether models of this type answer in text.
  public static func answersInText(_ architecture: String) -> Bool {
    entries.first { $0.architecture == architecture }.map { $0.encoder == nil } ?? false
  }

  /// Loads what a run trains: an encoder with heads, or a language model that answers in text, which reads neither
  /// `pooling` nor `dropout`.
  public static func load(
    _ url: URL, pooling: EncoderClassifier.Pooling, dropout: Double, dtype: DType, device: Device, seed: UInt64
  ) throws -> any TaskModel {
    let directory = try ModelDirectory(url)
    guard answersInText(directory.architecture) else {
      return try encoder(url, pooling: pooling, dropout: dropout, dtype: dtype, device: device, seed: seed)
    }
    let endTokens = try directory.endTokens()
    if entries.first(where: { $0.architecture == directory.architecture })?.sequenceToSequence != nil {
      let loaded = try loadSequenceToSequence(url, dtype: dtype, device: device, seed: seed)
      return Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: endTokens)
    }
    let loaded = try loadCausal(url, dtype: dtype, device: device, seed: seed)
    return CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: endTokens)
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
    let (encoder, scope) = try build(url, dtype, device, seed, \.encoder)
    return EncoderClassifier(encoder, pooling: pooling, dropout: dropout, heads: scope.fresh(.head, seed: seed))
  }

  /// Loads a model directory as an encoder with the head that predicts hidden tokens.
  public static func loadMasked(
    _ url: URL, dtype: DType, device: Device, seed: UInt64
  ) throws -> Loaded<any MaskedLanguageModel> {
    let (model, scope) = try build(url, dtype, device, seed, \.masked)
    return Loaded(model: model, parameters: scope.store)
  }

  /// Loads a model directory as a decoder.
  public static func loadCausal(
    _ url: URL, dtype: DType, device: Device, seed: UInt64
  ) throws -> Loaded<any CausalLanguageModel> {
    let (model, scope) = try build(url, dtype, device, seed, \.causal)
    return Loaded(model: model, parameters: scope.store)
  }

  /// Loads a model directory as an encoder and a decoder.
  public static func loadSequenceToSequence(
    _ url: URL, dtype: DType, device: Device, seed: UInt64
  ) throws -> Loaded<any SequenceToSequenceModel> {
    let (model, scope) = try build(url, dtype, device, seed, \.sequenceToSequence)
    return Loaded(model: model, parameters: scope.store)
  }

  private static func build<Model>(
    _ url: URL, _ dtype: DType, _ device: Device, _ seed: UInt64, _ kind: KeyPath<Entry, Make<Model>?>
  ) throws -> (Model, Scope) {
    let directory = try ModelDirectory(url)
    guard let entry = entries.first(where: { $0.architecture == directory.architecture }),
      let make = entry[keyPath: kind]
    else {
      let known = entries.filter { $0[keyPath: kind] != nil }.map(\.architecture)
      throw ModelError.unsupported(directory.architecture, url, known: known)
    }
    let isPrefixed = directory.names.contains { $0.hasPrefix(entry.prefix) }
    let source = CheckpointSource(directory, prefix: isPrefixed ? entry.prefix : "", outside: entry.head, dtype: dtype)
    let scope = Scope(store: ParameterStore(), dtype: dtype, device: device, seed: seed, source: source)
    let model = try make(directory, scope)
    try source.verify(ignoring: entry.isUnused)
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
