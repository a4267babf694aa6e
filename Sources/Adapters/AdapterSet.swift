public import NN
public import Torch

/// Adapters attached together, one on each target layer or in the model's prompt: frozen, switched and copied as one.
public struct AdapterSet {
  /// In order of their layers.
  public let adapters: [any Adapter]
  /// The parameters of all adapters.
  public let parameters: [Parameter]
  private let names: Set<String>

  init(_ adapters: [any Adapter]) {
    self.adapters = adapters
    parameters = adapters.flatMap(\.parameters)
    names = Set(parameters.map(\.name))
  }

  /// A fresh LoRA on each layer that `targets` names, queries and values where it names none; `index` tells the sets of one model apart.
  public init(
    _ lora: LoRA.Configuration, on targets: [String], index: Int, seed: UInt64, in store: ParameterStore
  ) throws {
    let layers = try Targets.linears(targets, in: store)
    try Self.checkFree(layers, "lora.\(index)", first: "a", in: store)
    self.init(layers.map { LoRA(on: $0, lora, index: index, seed: seed, in: store) })
  }

  /// A fresh bottleneck of `width` after each layer that `targets` names, outputs where it names none.
  public init(bottleneck width: Int, on targets: [String], index: Int, seed: UInt64, in store: ParameterStore) throws {
    let layers = try Targets.linears(targets, usual: Targets.outputs, in: store)
    try self.init(bottlenecksOn: layers.map { ($0, width) }, index: index, seed: seed, in: store)
  }

  /// A fresh bottleneck after each of these layers.
  init(bottlenecksOn layers: [(layer: Linear, width: Int)], index: Int, seed: UInt64, in store: ParameterStore) throws {
    try Self.checkFree(layers.map(\.layer), "adapter.\(index)", first: "down.weight", in: store)
    self.init(layers.map { Bottleneck(on: $0.layer, width: $0.width, index: index, seed: seed, in: store) })
  }

  /// Fresh scales on each layer that `targets` names, keys, values and outputs where it names none; outputs
  /// (`Targets.outputs`) scale their input, all others their output.
  public init(ia3 targets: [String], index: Int, seed: UInt64, in store: ParameterStore) throws {
    let layers = try Targets.linears(targets, usual: Targets.scaled, in: store)
    let outputs = Set(try Targets.linears([], usual: Targets.outputs, in: store).map(\.name))
    try Self.checkFree(layers, "ia3.\(index)", first: "scales", in: store)
    self.init(
      layers.map { IA3(on: $0, outputs.contains($0.name) ? .input : .output, index: index, seed: seed, in: store) })
  }

  /// A fresh prompt of `count` vectors in front of every text or behind it; later ones stand farther from the text.
  public init(
    prompt count: Int, at place: PromptPlace = .front, index: Int, seed: UInt64, in store: ParameterStore
  ) throws {
    let slot = try Self.slot(of: store, "prompt.\(index)", first: "vectors")
    guard slot.places.contains(place) else { throw AdapterError.onlyInFront }
    self.init([SoftPrompt(on: slot, count: count, at: place, index: index, seed: seed, in: store)])
  }

  /// A fresh pool of prompts, from which each text reads some.
  public init(_ pool: PromptPool.Configuration, index: Int, seed: UInt64, in store: ParameterStore) throws {
    let slot = try Self.slot(of: store, "pool.\(index)", first: "keys")
    self.init([PromptPool(on: slot, pool, index: index, seed: seed, in: store)])
  }

  /// A fresh prefix of `count` keys and values in each attention layer that takes one.
  public init(prefix count: Int, index: Int, seed: UInt64, in store: ParameterStore) throws {
    guard !store.prefixSlots.isEmpty else { throw AdapterError.noPrompts }
    for slot in store.prefixSlots where store["\(slot.name).prefix.\(index).keys"] != nil {
      throw AdapterError.taken("\(slot.name).prefix.\(index)")
    }
    self.init(store.prefixSlots.map { Prefix(on: $0, count: count, index: index, seed: seed, in: store) })
  }

  private static func checkFree(_ layers: [Linear], _ kind: String, first: String, in store: ParameterStore) throws {
    for layer in layers where store["\(layer.name).\(kind).\(first)"] != nil {
      throw AdapterError.taken("\(layer.name).\(kind)")
    }
  }

  private static func slot(of store: ParameterStore, _ kind: String, first: String) throws -> PromptSlot {
    guard let slot = store.promptSlot else { throw AdapterError.noPrompts }
    if store["\(kind).\(first)"] != nil { throw AdapterError.taken(kind) }
    return slot
  }

  /// The bottlenecks of a model, all that are attached.
  public init(bottlenecksOf store: ParameterStore) {
    self.init(store.linears.flatMap { $0.attachments.compactMap { $0 as? Bottleneck } })
  }

  /// The adapters that are bottlenecks, in order of their layers.
  public var bottlenecks: [Bottleneck] { adapters.compactMap { $0 as? Bottleneck } }

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
    try [self].disabled(body)
  }
}

extension Sequence<AdapterSet> {
  /// Runs `body` as if the adapters of all sets were not attached.
  public func disabled<Result>(_ body: () throws -> Result) rethrows -> Result {
    let enabled = flatMap(\.adapters).filter(\.isEnabled)
    for adapter in enabled { adapter.isEnabled = false }
    defer { for adapter in enabled { adapter.isEnabled = true } }
    return try body()
  }
}
