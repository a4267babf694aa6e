public import Foundation
public import NN
public import Torch

/// The backbones that Jay knows, by `model_type`.
public enum ModelIndex {
  public struct Entry: Sendable {
    /// `model_type` in `config.json`.
    public let architecture: String
    public let summary: String
    let kind: Kind
    /// Leading part of tensor names in checkpoints that wrap the backbone.
    var prefix = ""
    /// Tensors of a checkpoint that are not used (pooler, pre-training heads, the copy of a tied head).
    let isUnused: @Sendable (String) -> Bool
  }

  enum Kind: Sendable {
    case encoder(@Sendable (ModelDirectory, Scope) throws -> any TextEncoder)
    case decoder(@Sendable (ModelDirectory, Scope) throws -> any CausalLanguageModel)
  }

  public static let entries =
    [
      Entry(
        architecture: "bert", summary: "BERT-family encoders (BERT, MiniLM, …)",
        kind: .encoder { try BERT($0.decode(BERT.Configuration.self), in: $1) }, prefix: "bert.",
        isUnused: {
          $0.contains("pooler.") || $0.hasPrefix("cls.") || $0.hasPrefix("classifier.")
            || $0.hasSuffix("position_ids")
        })
    ]
    + ["llama", "mistral", "qwen2", "qwen3"].map { type in
      Entry(
        architecture: type, summary: "decoders of the Llama family",
        kind: .decoder { try Llama($0.decode(Llama.Configuration.self), in: $1) },
        isUnused: { $0 == "lm_head.weight" || $0.hasSuffix("rotary_emb.inv_freq") })
    }

  /// Whether models of this type answer in text.
  public static func answersInText(_ architecture: String) -> Bool {
    entries.first { $0.architecture == architecture }.map { !$0.kind.isEncoder } ?? false
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
    let (model, parameters) = try decoder(url, dtype: dtype, device: device)
    return CausalAnswerer(model, parameters: parameters, endTokens: try directory.endTokens())
  }

  /// Loads an encoder with heads, none yet.
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
    try load(url, dtype, device, seed) { entry, directory, scope in
      guard case .encoder(let make) = entry.kind else {
        throw ModelError.unsupported(directory.architecture, url, known: architectures { $0.isEncoder })
      }
      return EncoderClassifier(
        try make(directory, scope), pooling: pooling, dropout: dropout, heads: scope.fresh(.head, seed: seed))
    }
  }

  /// Loads a decoder, with the store of its parameters.
  public static func decoder(
    _ url: URL, dtype: DType, device: Device
  ) throws -> (model: any CausalLanguageModel, parameters: ParameterStore) {
    try load(url, dtype, device, 0) { entry, directory, scope in
      guard case .decoder(let make) = entry.kind else {
        throw ModelError.unsupported(directory.architecture, url, known: architectures { !$0.isEncoder })
      }
      return (try make(directory, scope), scope.store)
    }
  }

  private static func load<Model>(
    _ url: URL, _ dtype: DType, _ device: Device, _ seed: UInt64,
    _ make: (Entry, ModelDirectory, Scope) throws -> Model
  ) throws -> Model {
    let directory = try ModelDirectory(url)
    guard let entry = entries.first(where: { $0.architecture == directory.architecture }) else {
      throw ModelError.unsupported(directory.architecture, url, known: architectures { _ in true })
    }
    let isPrefixed = directory.names.contains { $0.hasPrefix(entry.prefix) }
    let source = CheckpointSource(directory, prefix: isPrefixed ? entry.prefix : "", dtype: dtype)
    let scope = Scope(store: ParameterStore(), dtype: dtype, device: device, seed: seed, source: source)
    let model = try make(entry, directory, scope)
    try source.verify(ignoring: entry.isUnused)
    // In bfloat16 the float32 originals were read to be rounded; until something trains them nobody looks again.
    for file in directory.files { file.releasePages() }
    return model
  }

  private static func architectures(where isIncluded: (Kind) -> Bool) -> [String] {
    entries.filter { isIncluded($0.kind) }.map(\.architecture)
  }
}

extension ModelIndex.Kind {
  var isEncoder: Bool { if case .encoder = self { true } else { false } }
}
