import Continual
public import Foundation
import Models
import Torch

/// Merges model directories into one.
public enum ModelMerge {
  /// `base` + strength · Σ (model − base), as a Hugging Face directory.
  ///
  /// Configuration and tokenizer are those of the base. Nothing is written when the models do not fit; the base's head for
  /// a task of its own may be missing in them, as in what `jay export` writes, and is then left out.
  public static func taskArithmetic(base: URL, models: [URL], strength: Double, out: URL) throws {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: out.path)) ?? []
    guard files.isEmpty else { throw ModelMergeError.exists(out.path) }
    let directory = try ModelDirectory(base)
    let models = try models.map { try ModelDirectory($0).tensors() }
    let shared = directory.tensors().filter { name, _ in
      !directory.isTaskHead(name) || models.contains { $0[name] != nil }
    }
    let merged = try TaskArithmetic.merge(base: shared, models: models, strength: strength)
    try directory.write(merged, to: out)
  }
}

/// A place that a merged model cannot take.
public enum ModelMergeError: LocalizedError, CustomStringConvertible, Equatable {
  case exists(String)

  public var description: String {
    switch self {
    case .exists(let path): "\(path) exists and is not empty. Choose another --out, or empty it."
    }
  }
  public var errorDescription: String? { description }
}
