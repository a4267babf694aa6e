public import NN
public import Torch

/// Adapters attached together, one on each target layer: frozen, switched and copied as one.
public struct AdapterSet {
  /// In order of their layers.
  public let adapters: [any Attachment]
  /// The parameters of all adapters.
  public let parameters: [Parameter]
  private let names: Set<String>

  /// A fresh LoRA on each layer that `targets` names, queries and values where it names none; `index` tells the sets of one model apart.
  public init(
    _ lora: LoRA.Configuration, on targets: [String], index: Int, seed: UInt64, in store: ParameterStore
  ) throws {
    try self.init(
      on: Targets.linears(targets, in: store), in: store, kind: "lora.\(index)", first: "a"
    ) {
      LoRA(on: $0, lora, index: index, seed: seed, in: store)
    }
  }

  /// A fresh bottleneck of `width` after each layer that `targets` names, outputs where it names none.
  public init(bottleneck width: Int, on targets: [String], index: Int, seed: UInt64, in store: ParameterStore) throws {
    try self.init(
      on: Targets.linears(targets, usual: Targets.outputs, in: store), in: store, kind: "adapter.\(index)",
      first: "down.weight"
    ) {
      Bottleneck(on: $0, width: width, index: index, seed: seed, in: store)
    }
  }

  private init(
    on layers: [Linear], in store: ParameterStore, kind: String, first: String, _ make: (Linear) -> any Attachment
  ) throws {
    for layer in layers where store["\(layer.name).\(kind).\(first)"] != nil {
      throw AdapterError.taken("\(layer.name).\(kind)")
    }
    adapters = layers.map(make)
    parameters = adapters.flatMap(\.parameters)
    names = Set(parameters.map(\.name))
  }

  /// The adapters that are LoRA, in order of their layers.
  public var loras: [LoRA] { adapters.compactMap { $0 as? LoRA } }

  /// Whether a parameter belongs to one of the adapters.
  public func contains(_ parameter: Parameter) -> Bool { names.contains(parameter.name) }

  /// Copies of the float32 values by name.
  public func snapshot() -> [String: Tensor] {
    withoutGradient { Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.master.clone()) }) }
  }

  /// Runs `body` as if the adapters were not attached.
  public func disabled<Result>(_ body: () throws -> Result) rethrows -> Result {
    let enabled = adapters.filter(\.isEnabled)
    for adapter in enabled { adapter.isEnabled = false }
    defer { for adapter in enabled { adapter.isEnabled = true } }
    return try body()
  }
}
