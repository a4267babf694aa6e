public import Foundation
public import NN
public import Torch

extension ModelDirectory {
  /// Writes a model directory that other tools load: the original's configuration and tokenizer, every tensor of the
  /// original under its own name and in its own dtype, with `weights` (float32, by parameter name) in place of theirs. A
  /// pre-training head that the original lacks is added; where it has no weights at all, all are.
  ///
  /// - Throws: `ModelError` where a weight has no place in the original; `FileError`.
  public func export(_ weights: [String: Tensor], to folder: URL, tokenizer: [URL] = []) throws {
    let entry = ModelIndex.entries.first { $0.architecture == architecture }
    let head = entry?.head
    let prefix = files.isEmpty || names.contains { $0.hasPrefix(entry?.prefix ?? "") } ? entry?.prefix ?? "" : ""
    var tensors = tensors()
    var strangers: [String] = []
    for (name, value) in weights {
      let isHead = head.map(name.hasPrefix) ?? false
      let full = isHead ? name : prefix + name
      if let original = tensors[full], original.shape == value.shape {
        tensors[full] = value.to(original.dtype, device: .cpu)
      } else if tensors[full] == nil, isHead || files.isEmpty {
        tensors[full] = value.to(device: .cpu)
      } else {
        strangers.append(full)
      }
    }
    guard strangers.isEmpty else {
      throw ModelError.mismatch(url, missing: [], misshapen: [], extra: strangers.sorted())
    }
    try write(tensors, to: folder, tokenizer: tokenizer)
  }

  /// Writes a model directory with this one's configuration and tokenizer, further files of a tokenizer that lies
  /// elsewhere, and these tensors under their full names.
  public func write(_ tensors: [String: Tensor], to folder: URL, tokenizer: [URL] = []) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw FileError(action: .create, path: folder.path, code: errno) }
    let own = try FileManager.default.contentsOfDirectory(atPath: url.path).filter(Self.isCarried).sorted()
    for file in tokenizer + own.map(url.appendingPathComponent) {
      guard let data = FileManager.default.contents(atPath: file.path) else { continue }
      try AtomicFile.write(data, to: folder.appendingPathComponent(file.lastPathComponent))
    }
    try SafeTensorsWriter.write(
      tensors, metadata: ["format": "pt"], to: folder.appendingPathComponent("model.safetensors"))
  }

  /// Small text files that describe the model: configuration and tokenizer.
  private static func isCarried(_ name: String) -> Bool {
    name.hasSuffix(".txt") || (name.hasSuffix(".json") && !name.hasSuffix(".index.json")) || name.hasSuffix(".model")
  }
}

extension ParameterStore {
  /// Backbone weights as the forward pass uses them now, low-rank adapters merged in, float32.
  /// - Throws: `ExportError` where an attachment is no change of the weight.
  public func mergedBackbone() throws -> [String: Tensor] {
    var weights: [String: Tensor] = [:]
    for parameter in all where parameter.role == .backbone { weights[parameter.name] = parameter.current }
    let read = (promptSlot?.attachments ?? []) as [any Adapter] + prefixSlots.flatMap(\.attachments)
    if read.contains(where: \.isEnabled) { throw ExportError.prompt }
    try withoutGradient {
      for linear in linears {
        for attachment in linear.attachments where attachment.isEnabled {
          guard let mergeable = attachment as? any MergeableAttachment else {
            throw ExportError.notMergeable(layer: linear.weight.name)
          }
          let bias = linear.bias.map { weights[$0.name] ?? $0.current }
          let merged = mergeable.merged(weights[linear.weight.name] ?? linear.weight.current, bias)
          weights[linear.weight.name] = merged.weight
          if let name = linear.bias?.name { weights[name] = merged.bias }
        }
      }
    }
    return weights
  }
}

/// A model that has no plain form.
public enum ExportError: LocalizedError, CustomStringConvertible, Equatable {
  case notMergeable(layer: String)
  case prompt

  public var description: String {
    switch self {
    case .notMergeable(let layer):
      "the adapter on \(layer) has a nonlinearity and cannot be merged into the weights. Train with a low-rank adapter (lora) to export."
    case .prompt:
      "the model reads a prompt or a prefix, which is no change of its weights. Write it alone, with --adapter."
    }
  }
  public var errorDescription: String? { description }
}
