public import Torch

/// Every parameter of a model in order of creation, found by name once and never inside a step.
public final class ParameterStore {
  public private(set) var all: [Parameter] = []
  /// Linear layers in order of creation: what masks and adapters attach to.
  public private(set) var linears: [Linear] = []
  /// Where soft prompts attach; nil of a model that takes none.
  public private(set) var promptSlot: PromptSlot?
  /// Where prefixes attach: attention layers in order of creation.
  public private(set) var prefixSlots: [PrefixSlot] = []
  private var indexByName: [String: Int] = [:]

  public init() {}

  public subscript(name: String) -> Parameter? { indexByName[name].map { all[$0] } }

  public var trainable: [Parameter] { all.filter(\.isTrainable) }

  func add(_ parameter: Parameter) {
    precondition(indexByName[parameter.name] == nil, "two parameters are named \(parameter.name)")
    indexByName[parameter.name] = all.count
    all.append(parameter)
  }

  /// Takes parameters away, those of adapters that were merged into the weights.
  public func remove(where isRemoved: (Parameter) -> Bool) {
    all.removeAll(where: isRemoved)
    indexByName = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.name, $0) })
  }

  func add(_ linear: Linear) { linears.append(linear) }

  func add(_ slot: PrefixSlot) { prefixSlots.append(slot) }

  func add(_ slot: PromptSlot) {
    precondition(promptSlot == nil, "a model has one slot for prompts")
    promptSlot = slot
  }

  /// Copies of the float32 values by name.
  public func snapshot(_ isIncluded: (Parameter) -> Bool = { _ in true }) -> [String: Tensor] {
    withoutGradient {
      Dictionary(uniqueKeysWithValues: all.filter(isIncluded).map { ($0.name, $0.master.clone()) })
    }
  }

  /// Writes values back by name; names that the store lacks are a caller's bug.
  public func restore(_ values: [String: Tensor]) {
    for (name, value) in values {
      guard let parameter = self[name] else { preconditionFailure("restore: no parameter is named \(name)") }
      parameter.assign(value)
    }
  }

  /// Runs `body` with the forward pass reading `values` (float32, by name) instead of the current ones.
  /// Used for teachers, merged models and per-task snapshots; nothing is copied where dtypes agree.
  public func withValues<Result>(_ values: [String: Tensor], _ body: () throws -> Result) rethrows -> Result {
    let replaced = values.map { name, value -> (parameter: Parameter, before: Tensor?) in
      guard let parameter = self[name] else { preconditionFailure("withValues: no parameter is named \(name)") }
      precondition(value.shape == parameter.shape, "withValues: \(name) is \(parameter.shape), not \(value.shape)")
      let before = parameter.exchanged
      parameter.exchange(value)
      return (parameter, before)
    }
    defer { for (parameter, before) in replaced { parameter.exchange(before) } }
    return try body()
  }

  public func clearGradients() {
    for parameter in all where parameter.isTrainable { parameter.gradient = nil }
  }
}
