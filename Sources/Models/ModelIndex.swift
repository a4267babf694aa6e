public import Foundation
import NN
public import Torch

/// The backbones that Jay knows, by `model_type`.
public enum ModelIndex {
  public struct Entry: Sendable {
    /// `model_type` in `config.json`.
    public let architecture: String
    public let summary: String
    let load: @Sendable (ModelDirectory, Scope) throws -> any TextEncoder
    /// Leading part of tensor names in checkpoints that wrap the backbone.
    let prefix: String
    /// Tensors of a checkpoint that a classifier does not use (pooler, pre-training heads).
    let isUnused: @Sendable (String) -> Bool
  }

  public static let entries = [
    Entry(
      architecture: "bert", summary: "BERT-family encoders (BERT, MiniLM, …)",
      load: { try BERT($0.decode(BERT.Configuration.self), in: $1) }, prefix: "bert.",
      isUnused: {
        $0.contains("pooler.") || $0.hasPrefix("cls.") || $0.hasPrefix("classifier.") || $0.hasSuffix("position_ids")
      })
  ]

  /// Loads a model directory as an encoder with heads.
  /// - Parameters:
  ///   - url: the directory.
  ///   - pooling: how a text becomes one vector.
  ///   - dropout: on the pooled vector, in training.
  ///   - dtype: the compute dtype; the values that train are kept in float32.
  ///   - device: where the weights lie.
  ///   - seed: of fresh parameters (heads).
  public static func load(
    _ url: URL, pooling: EncoderClassifier.Pooling, dropout: Double, dtype: DType, device: Device, seed: UInt64
  ) throws -> EncoderClassifier {
    let directory = try ModelDirectory(url)
    guard let entry = entries.first(where: { $0.architecture == directory.architecture }) else {
      throw ModelError.unsupported(directory.architecture, url, known: entries.map(\.architecture))
    }
    let isPrefixed = directory.names.contains { $0.hasPrefix(entry.prefix) }
    let source = CheckpointSource(directory, prefix: isPrefixed ? entry.prefix : "", dtype: dtype)
    let scope = Scope(store: ParameterStore(), dtype: dtype, device: device, seed: seed, source: source)
    let encoder = try entry.load(directory, scope)
    try source.verify(ignoring: entry.isUnused)
    // In bfloat16 the float32 originals were read to be rounded; until something trains them nobody looks again.
    for file in directory.files { file.releasePages() }
    return EncoderClassifier(encoder, pooling: pooling, dropout: dropout, heads: scope.fresh(.head, seed: seed))
  }
}
