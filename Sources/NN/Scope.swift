public import Torch

/// Where a module registers its parameters: a path of names, the store, and the device and dtype, which enter here once.
public struct Scope {
  public let store: ParameterStore
  public let path: String
  public let dtype: DType
  public let device: Device
  public let role: ParameterRole
  private let generator: Generator
  private let source: (any WeightSource)?

  /// The root of a model's names. `dtype` is the compute dtype (`.float32` or `.bfloat16`). Where there is a `source`,
  /// values are loaded from it by full name instead of drawn from `seed`, and every name asked for must be there.
  public init(
    store: ParameterStore, dtype: DType, device: Device, seed: UInt64, source: (any WeightSource)? = nil
  ) {
    self.init(
      store: store, path: "", dtype: dtype, device: device, role: .backbone,
      generator: Generator(seed: seed), source: source)
  }

  private init(
    store: ParameterStore, path: String, dtype: DType, device: Device, role: ParameterRole,
    generator: Generator, source: (any WeightSource)?
  ) {
    (self.store, self.path, self.dtype, self.device) = (store, path, dtype, device)
    (self.role, self.generator, self.source) = (role, generator, source)
  }

  /// The scope of a submodule.
  public static func / (scope: Scope, name: String) -> Scope {
    Scope(
      store: scope.store, path: scope.name(name), dtype: scope.dtype, device: scope.device, role: scope.role,
      generator: scope.generator, source: scope.source)
  }

  public static func / (scope: Scope, index: Int) -> Scope { scope / String(index) }

  /// The same place for freshly initialised parameters of another role.
  public func fresh(_ role: ParameterRole, seed: UInt64) -> Scope {
    Scope(
      store: store, path: path, dtype: dtype, device: device, role: role,
      generator: Generator(seed: seed), source: nil)
  }

  /// Registers a parameter. Its initial values depend on the seed and its full name alone, not on the order
  /// in which modules are built.
  public func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Parameter {
    parameter(name, shape) { initializer.make(shape, &$0) }
  }

  /// Registers a parameter whose initial values `make` draws: float32, of `shape`, the same whenever it is called with
  /// the same generator.
  public func parameter(
    _ name: String, _ shape: [Int], make: @escaping (inout Generator) -> Tensor
  ) -> Parameter {
    let fullName = self.name(name)
    let generator = self.generator.derived(fullName)
    let initialize = {
      var random = generator
      return make(&random)
    }
    let loaded = source?.weight(fullName, shape: shape)
    let parameter = Parameter(
      name: fullName, role: role, initial: loaded ?? initialize(), dtype: dtype, device: device,
      initialize: loaded == nil ? initialize : nil)
    store.add(parameter)
    return parameter
  }

  private func name(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

/// Values by name, usually a checkpoint whose names and shapes were verified before the model is built.
public protocol WeightSource {
  /// The tensor of that name, or nil where the checkpoint may lack it. Shape as asked for.
  func weight(_ name: String, shape: [Int]) -> Tensor?
}

/// How a fresh parameter is filled, in float32.
public enum Initializer: Sendable {
  case zeros, ones
  /// N(0, deviation²).
  case normal(deviation: Double)
  /// U(−1/√fanIn, 1/√fanIn): the default of PyTorch's linear layer (He et al. 2015 with a = √5).
  case kaimingUniform

  func make(_ shape: [Int], _ generator: inout Generator) -> Tensor {
    switch self {
    case .zeros: return .zeros(shape)
    case .ones: return .ones(shape)
    case .normal(let deviation): return .normal(shape, deviation: deviation, &generator)
    case .kaimingUniform:
      let bound = 1 / Double(max(1, shape.last ?? 1)).squareRoot()
      return .uniform(shape, -bound..<bound, &generator)
    }
  }
}
