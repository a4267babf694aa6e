public import Foundation
public import Torch

extension ModelDirectory {
  /// A tokenizer that does not lie in the model's folder.
  public struct OtherTokenizer {
    let folder: URL
    let names: [String]

    /// - Parameters:
    ///   - folder: where it lies.
    ///   - names: how files of tokenizers are named: those of `folder` come along, those of the model do not.
    public init(_ folder: URL, names: [String]) { (self.folder, self.names) = (folder, names) }
  }

  /// Writes a model directory that other tools load: the original's configuration and tokenizer, every tensor of the
  /// original under its own name and in its own dtype, with `weights` in place of theirs. A pre-training head that the
  /// original lacks is added; where it has no weights at all, all are.
  ///
  /// Copies of a tied weight go with it. A pooler and a pre-training head that nobody trained stay as they were, a head for
  /// one task (`classifier.`) is left out: it would answer for an encoder that has moved on.
  ///
  /// - Throws: `ModelError` where a weight has no place in the original; `FileError`.
  public func export(
    _ weights: LazyWeights, to folder: URL, tokenizer: OtherTokenizer? = nil, shardSize: ShardSize = .standard
  ) throws {
    var items: [String: SafeTensorsWriter.Item] = [:]
    for name in names where !isTaskHead(name) { items[name] = kept(name) }
    try replace(&items, by: weights)
    try write(Array(items.values), to: folder, tokenizer: tokenizer, shardSize: shardSize)
  }

  /// Whether a tensor belongs to a head for one task.
  public func isTaskHead(_ name: String) -> Bool { (try? entry().taskHead).map(name.hasPrefix) ?? false }

  /// Writes a model directory with this one's configuration and tokenizer and these tensors under their full names.
  public func write(_ tensors: [String: Tensor], to folder: URL) throws {
    let items = tensors.map { name, tensor in SafeTensorsWriter.Item(name, tensor.dtype, tensor.shape) { tensor } }
    try write(items, to: folder, tokenizer: nil, shardSize: .standard)
  }

  private func write(
    _ items: [SafeTensorsWriter.Item], to folder: URL, tokenizer: OtherTokenizer?, shardSize: ShardSize
  ) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw FileError(action: .create, path: folder.path, code: errno) }
    let own = try FileManager.default.contentsOfDirectory(atPath: url.path).sorted().filter {
      Self.isCarried($0) && !(tokenizer?.names.contains($0) ?? false)
    }
    let other = tokenizer.map { other in other.names.map(other.folder.appendingPathComponent) } ?? []
    for file in own.map(url.appendingPathComponent) + other {
      guard let data = FileManager.default.contents(atPath: file.path) else { continue }
      try AtomicFile.write(data, to: folder.appendingPathComponent(file.lastPathComponent))
    }
    try ShardWriter.write(items, to: folder, shardSize)
  }

  /// Small text files that describe the model: configuration, tokenizer, chat template. What Jay wrote of other heads is
  /// none of it.
  private static func isCarried(_ name: String) -> Bool {
    let isText = [".txt", ".json", ".model", ".jinja"].contains(where: name.hasSuffix)
    let isTokenizer = name.hasPrefix("tok") && name.hasSuffix(".bin") || name.hasSuffix(".txt.gz")
    return (isText || isTokenizer) && !name.hasSuffix(".index.json") && name != "jay.json"
  }
}

extension ModelDirectory {
  /// A tensor as it is.
  private func kept(_ name: String) -> SafeTensorsWriter.Item? {
    guard let file = file(of: name), let entry = file.entry(name) else { return nil }
    return .init(name, entry.dtype, entry.shape) {
      file[name] ?? { preconditionFailure("\(name) was in \(file.url.path)") }()
    }
  }

  /// Puts weights in place of the original's, each under its name there and those of its copies.
  private func replace(_ items: inout [String: SafeTensorsWriter.Item], by weights: LazyWeights) throws {
    let entry = try? entry()
    let names = CheckpointNames(names, entry)
    var strangers: [String] = []
    for (name, weight) in weights.items {
      let full = names.stored(name)
      if let original = items[full], original.shape == weight.shape {
        let copies = (entry?.copies[name] ?? []).filter {
          items[$0] != nil && weights.items[$0] == nil && !differ($0, full)
        }
        for place in [full] + copies { items[place] = replaced(place, by: weight) }
      } else if items[full] == nil, names.isHead(name) || files.isEmpty {
        items[full] = .init(full, .float32, weight.shape) { weight.values().to(device: .cpu) }
      } else {
        strangers.append(full)
      }
    }
    guard strangers.isEmpty else {
      throw ModelError.mismatch(url, missing: [], misshapen: [], extra: strangers.sorted())
    }
  }

  /// A weight in the dtype that the original has under this name.
  private func replaced(_ name: String, by weight: LazyWeights.Item) -> SafeTensorsWriter.Item? {
    guard let file = file(of: name), let original = file.entry(name) else { return nil }
    return .init(name, original.dtype, original.shape) {
      let values = weight.values().to(device: .cpu)
      // float32 has no room for all of float64: what nobody changed stays as it was.
      if original.dtype == .float64, let before = file[name], (before.to(.float32) .== values).isAllTrue() {
        return before
      }
      return values.to(original.dtype)
    }
  }
}
