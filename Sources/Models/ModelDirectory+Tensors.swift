public import Torch

extension ModelDirectory {
  /// Every tensor of the checkpoint, of all shards, by its name there.
  public func tensors() -> [String: Tensor] {
    files.reduce(into: [:]) { all, file in all.merge(file.tensors()) { first, _ in first } }
  }
}
