import NN
import Torch

/// Under which names a checkpoint holds a model's parameters.
struct CheckpointNames {
  private let prefix: String
  private let head: String?
  private let all: Set<String>
  /// Norms as TensorFlow's BERT named them; google-bert/bert-base-uncased is published so.
  private static let older = [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]

  /// - Parameters:
  ///   - names: of the checkpoint's tensors; none where it is still to be written.
  ///   - entry: of the model's architecture; nil where that is not known.
  init(_ names: [String], _ entry: ModelIndex.Entry?) {
    let isPrefixed = names.isEmpty || names.contains { $0.hasPrefix(entry?.prefix ?? "") }
    (prefix, head, all) = (isPrefixed ? entry?.prefix ?? "" : "", entry?.head, Set(names))
  }

  /// Whether the parameter, or the tensor, is one of an encoder's pre-training head, which stands outside the prefix.
  func isHead(_ name: String) -> Bool { head.map(name.hasPrefix) ?? false }

  /// Whether the checkpoint has an encoder's pre-training head.
  var hasHead: Bool { all.contains(where: isHead) }

  /// The checkpoint's name of a parameter; where it has none, the one it should have.
  func stored(_ parameter: String) -> String {
    let full = isHead(parameter) ? parameter : prefix + parameter
    guard !all.contains(full), let (new, old) = Self.older.first(where: { full.hasSuffix($0.0) }) else { return full }
    let older = String(full.dropLast(new.count)) + old
    return all.contains(older) ? older : full
  }
}

/// A checkpoint's tensors under the names that a model's parameters have; notes what does not fit.
final class CheckpointSource: WeightSource {
  private let directory: ModelDirectory
  private let entry: ModelIndex.Entry
  private let names: CheckpointNames
  private let dtype: DType
  private var missing: [String] = []
  private var misshapen: [String] = []
  private var used: Set<String> = []

  /// - Parameters:
  ///   - directory: what holds the checkpoint.
  ///   - entry: of the model's architecture.
  ///   - dtype: the model's compute dtype.
  init(_ directory: ModelDirectory, _ entry: ModelIndex.Entry, dtype: DType) {
    (self.directory, self.entry, self.dtype) = (directory, entry, dtype)
    names = CheckpointNames(directory.names, entry)
  }

  func weight(_ name: String, shape: [Int]) -> Tensor? {
    let full = names.stored(name)
    guard let file = directory.file(of: full), let found = file.entry(full) else {
      // An encoder without its pre-training head gets a fresh one.
      if names.isHead(name), !names.hasHead { return nil }
      missing.append(full)
      return placeholder(shape)
    }
    used.insert(full)
    guard found.shape == shape else {
      misshapen.append("\(full) is \(found.shape), not \(shape)")
      return placeholder(shape)
    }
    return file[full]
  }

  /// One number seen as the whole shape: a wrong config.json may ask for more than the memory holds, and `verify`
  /// throws before anyone reads it.
  private func placeholder(_ shape: [Int]) -> Tensor { Tensor.zeros([], dtype: dtype).expanded(shape) }

  /// Throws one error that lists everything that does not fit.
  func verify() throws {
    let extra = directory.names.filter { !used.contains($0) && !entry.isUnused($0) }.sorted()
    guard missing.isEmpty, misshapen.isEmpty, extra.isEmpty else {
      throw ModelError.mismatch(directory.url, missing: missing, misshapen: misshapen, extra: extra)
    }
    try verifyCopies()
  }

  /// A model has one weight where the checkpoint may have several; which one the reference reads depends on their values.
  private func verifyCopies() throws {
    let readsHead = used.contains(where: names.isHead)
    for (name, copies) in entry.copies.sorted(by: { $0.key < $1.key }) {
      let original = names.stored(name)
      for copy in copies where !used.contains(copy) && (readsHead || !names.isHead(copy)) {
        guard !directory.differ(copy, original) else {
          throw ModelError.differentCopies(directory.url, copy: copy, original: original)
        }
      }
    }
  }
}
