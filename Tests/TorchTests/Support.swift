import Foundation
import Testing
import Torch

/// What a tensor should be: its values row by row and its shape; nil where it is.
func difference(_ tensor: Tensor, _ expected: [Float], shape: [Int]? = nil, atol: Float = 1e-6) -> String? {
  if let shape, tensor.shape != shape { return "shape \(tensor.shape), expected \(shape)" }
  let values = tensor.detached().values()
  guard values.count == expected.count else { return "\(values), expected \(expected)" }
  let isClose = zip(values, expected).allSatisfy { $0 == $1 || abs($0 - $1) <= atol || ($0.isNaN && $1.isNaN) }
  return isClose ? nil : "\(values), expected \(expected)"
}

/// A folder that disappears with the closure.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jay-torch-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The text of the error that `body` throws.
func sentence(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return error.localizedDescription
  }
}

/// A leaf that records.
func leaf(_ values: [Float], _ shape: [Int]? = nil) -> Tensor {
  let tensor = Tensor(values, shape: shape)
  tensor.setRequiresGradient(true)
  return tensor
}

struct Interruption: Error {}
