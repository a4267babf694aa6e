public import Foundation
public import Torch

/// What training changed: named float32 tensors that are added, scaled and stored.
/// Source: Ilharco et al., Editing Models with Task Arithmetic, ICLR 2023, §2 (arXiv 2212.04089).
public struct TaskVector {
  /// Float32, by the name of the parameter.
  public let tensors: [String: Tensor]

  /// A vector of these tensors; of none, it is the zero vector.
  public init(_ tensors: [String: Tensor] = [:]) { self.tensors = tensors }

  /// `model − base`, for the names of `base`, which `model` must have in the same shapes.
  public init(from base: [String: Tensor], to model: [String: Tensor]) {
    tensors = Dictionary(
      uniqueKeysWithValues: base.map { name, old in
        guard let new = model[name], new.shape == old.shape else {
          preconditionFailure("TaskVector: \(name) \(old.shape) is \(model[name].map { "\($0.shape)" } ?? "missing")")
        }
        return (name, withoutGradient { new.to(.float32) - old.to(.float32) })
      })
  }

  /// Reads a vector that `save` wrote.
  public init(contentsOf url: URL) throws { tensors = try SafeTensorsFile(url).tensors() }

  /// Writes the tensors as safetensors.
  public func save(to url: URL) throws { try SafeTensorsWriter.write(tensors, to: url) }

  /// The sum; a tensor that only one side has stays as it is.
  public static func + (x: TaskVector, y: TaskVector) -> TaskVector {
    withoutGradient { TaskVector(x.tensors.merging(y.tensors) { $0 + $1 }) }
  }

  /// Every tensor times `scale`.
  public static func * (scale: Double, x: TaskVector) -> TaskVector {
    withoutGradient { TaskVector(x.tensors.mapValues { scale * $0 }) }
  }

  /// `base` with the vector added, in the dtypes of `base`; names that the vector lacks are left as they are.
  public func added(to base: [String: Tensor]) -> [String: Tensor] {
    withoutGradient {
      Dictionary(
        uniqueKeysWithValues: base.map { name, value in
          (name, tensors[name].map { (value.to(.float32) + $0).to(value.dtype) } ?? value)
        })
    }
  }
}
