import NN
import TestSupport
import Testing
import Torch

/// A store and a scope of fresh parameters.
func freshScope(dtype: DType = .float32, seed: UInt64 = 1) -> Scope {
  Scope(store: ParameterStore(), dtype: dtype, device: .cpu, seed: seed)
}

/// A batch whose tokens nobody reads.
func batch(targets: [Int], candidates: [Int]? = nil, sets: [[Int]]) -> DeviceBatch {
  let rows = targets.count
  return DeviceBatch(
    tokens: .zeros([rows, 1], dtype: .int64), segments: .zeros([rows, 1], dtype: .int64), mask: nil,
    lengths: Array(repeating: 1, count: rows), targets: targets, experiences: Array(repeating: 0, count: rows),
    candidates: candidates ?? Array(repeating: 0, count: rows), candidateSets: sets)
}

/// The values that `tensor` should have; nil where it has them.
func difference(_ tensor: Tensor?, _ expected: [Float], atol: Double = 1e-6) -> String? {
  guard let tensor else { return "no tensor" }
  return difference(tensor.detached(), Tensor(expected, shape: tensor.shape), atol: atol)
}

struct Interruption: Error {}
