public import NN
import Torch

/// Which linear layers of a backbone an adapter attaches to.
public enum Targets {
  /// The query and value projections of attention, as architectures name them: BERT, T5, Llama.
  public static let queryAndValue = [["query", "value"], ["q", "v"], ["q_proj", "v_proj"]]
  /// The last layer of attention and of the feed-forward part in BERT, of the latter alone in T5 and Llama.
  public static let outputs = [["output.dense"], ["DenseReluDense.wo"], ["down_proj"]]

  /// Keys, values and the layers of `outputs`: what IA³ scales.
  public static let scaled = [["key", "value", "output.dense"], ["k", "v", "wo"], ["k_proj", "v_proj", "down_proj"]]

  /// The layers whose name ends in one of `suffixes` (`query`, `value`, `output.dense`), heads and layers whose weight is
  /// another module's excluded; `all` takes every one. Each suffix must match some layer. Where there are no suffixes, the
  /// first of the `usual` ones that the model has. `key` is the setting that a message names.
  public static func linears(
    _ suffixes: [String], usual: [[String]] = queryAndValue, key: String = "targets", in store: ParameterStore
  ) throws -> [Linear] {
    let layers = store.linears.filter { $0.weight.role == .backbone && !$0.isTied }
    let known = usual.first { usual in usual.allSatisfy { suffix in layers.contains { isMatch($0, suffix) } } }
    let suffixes = suffixes.isEmpty ? known ?? [] : suffixes
    let unmatched = suffixes.filter { suffix in !layers.contains { isMatch($0, suffix) } }
    guard !suffixes.isEmpty, unmatched.isEmpty else {
      throw AdapterError.noTarget(unmatched, key: key, layers: patterns(layers.map(\.name)))
    }
    return layers.filter { layer in suffixes.contains { isMatch(layer, $0) } }
  }

  /// The layers of `linears` that read a batch row by row. A model's head for words reads single tokens: `all` leaves it
  /// out, and one that is named is refused.
  public static func rowLinears(_ suffixes: [String], in store: ParameterStore) throws -> [Linear] {
    let layers = try linears(suffixes, in: store)
    let heads = layers.filter { layer in
      layer.name == "lm_head" || ["lm_head.", "cls.predictions."].contains { layer.name.hasPrefix($0) }
    }
    if let head = heads.first, !suffixes.contains("all") { throw AdapterError.readsTokens(head.name) }
    return layers.filter { layer in !heads.contains { $0 === layer } }
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
