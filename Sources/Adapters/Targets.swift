public import NN
import Torch

/// Which linear layers of a backbone an adapter attaches to.
public enum Targets {
  /// The layers whose name ends in one of `suffixes` (`query`, `value`, `output.dense`), heads excluded;
  /// `all` takes every one. Each suffix must match some layer.
  public static func linears(_ suffixes: [String], in store: ParameterStore) throws -> [Linear] {
    let layers = store.linears.filter { $0.weight.role == .backbone }
    let unmatched = suffixes.filter { suffix in !layers.contains { isMatch($0, suffix) } }
    guard !suffixes.isEmpty, unmatched.isEmpty else {
      throw AdapterError.noTarget(unmatched, layers: patterns(layers.map(\.name)))
    }
    return layers.filter { layer in suffixes.contains { isMatch(layer, $0) } }
  }

  private static func isMatch(_ layer: Linear, _ suffix: String) -> Bool {
    suffix == "all" || layer.name == suffix || layer.name.hasSuffix(".\(suffix)")
  }

  /// Names with `*` for every number, each once, in order.
  private static func patterns(_ names: [String]) -> [String] {
    var known = Set<String>()
    return names.map { name in
      name.split(separator: ".").map { Int($0) == nil ? String($0) : "*" }.joined(separator: ".")
    }.filter { known.insert($0).inserted }
  }
}

extension Linear {
  /// The layer's name in the checkpoint.
  public var name: String {
    weight.name.hasSuffix(".weight") ? String(weight.name.dropLast(".weight".count)) : weight.name
  }

  /// Where an adapter registers its parameters: `<layer>.<kind>.<index>`, in the layer's dtype and on its device.
  func scope(of kind: String, _ index: Int, seed: UInt64, in store: ParameterStore) -> Scope {
    let root = Scope(store: store, dtype: weight.value.dtype, device: weight.value.device, seed: seed)
    return root.fresh(.adapter, seed: seed) / name / kind / index
  }
}
