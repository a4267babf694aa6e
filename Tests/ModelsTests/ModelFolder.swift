import Foundation
import Models
import NN
import TestSupport
import Torch

/// A copy of the tiny BERT's files in a temporary folder that disappears with the closure.
func withModelFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-model-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for name in ["config.json", "model.safetensors"] {
    try FileManager.default.copyItem(
      at: Golden.url("bert-tiny/\(name)"), to: folder.appendingPathComponent(name))
  }
  return try body(folder)
}

extension URL {
  var weights: URL { appendingPathComponent("model.safetensors") }
  var configuration: URL { appendingPathComponent("config.json") }

  /// Loads the folder as a classifier.
  func load(dtype: DType = .float32) throws -> EncoderClassifier {
    try ModelIndex.encoder(self, pooling: .mean, dropout: 0, dtype: dtype, device: .cpu, seed: 0)
  }

  /// Changes keys of `config.json`; a nil value removes the key.
  func configure(_ changes: [String: Any?]) throws {
    var json = try JSONSerialization.jsonObject(with: Data(contentsOf: configuration)) as? [String: Any] ?? [:]
    for (key, value) in changes { json[key] = value }
    try JSONSerialization.data(withJSONObject: json).write(to: configuration)
  }

  /// Rewrites `model.safetensors`.
  func rewrite(_ change: (inout [String: Tensor]) -> Void) throws {
    var tensors = try SafeTensorsFile(weights).tensors()
    change(&tensors)
    try SafeTensorsWriter.write(tensors, to: weights)
  }
}

/// The sentence of the error that loading `folder` gives, with `FOLDER` for its path.
func complaint(_ folder: URL) -> String? {
  do {
    _ = try folder.load()
    return nil
  } catch {
    return error.localizedDescription.replacingOccurrences(of: folder.path, with: "FOLDER")
  }
}
