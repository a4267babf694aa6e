public import NN

/// Which linear layers of a backbone an adapter attaches to.
public enum Targets {
  /// The layers whose name ends in one of `suffixes` (`query`, `value`, `output.dense`), heads excluded;
  /// `all` takes every one. The result is empty when nothing matches.
  public static func linears(_ suffixes: [String], in store: ParameterStore) -> [Linear] {
    store.linears.filter { linear in
      guard linear.weight.role == .backbone else { return false }
      let layer = linear.weight.name.dropLast(".weight".count)
      return suffixes.contains("all") || suffixes.contains { layer == $0 || layer.hasSuffix(".\($0)") }
    }
  }
}
