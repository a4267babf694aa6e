import Continual
public import Foundation
import Models
import Torch

/// Merges model directories into one.
public enum ModelMerge {
  /// `base` + strength · Σ (model − base), as a Hugging Face directory.
  ///
  /// Configuration and tokenizer are those of the base. Nothing is written when the models do not fit.
  public static func taskArithmetic(base: URL, models: [URL], strength: Double, out: URL) throws {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: out.path)) ?? []
    guard files.isEmpty else { throw ModelMergeError.exists(out.path) }
    let directory = try ModelDirectory(base)
    let merged = try TaskArithmetic.merge(
      base: directory.tensors(), models: try models.map { try ModelDirectory($0).tensors() }, strength: strength)
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
