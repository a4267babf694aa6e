public import NN
import Torch

extension AdapterSet {
  /// Whether all adapters are changes of their layers' weights.
  public var isMergeable: Bool { adapters.allSatisfy { $0 is any MergeableAttachment } }

  /// Merges the adapters into their layers' weights and takes them off the model, together with their parameters.
  public func merge(into store: ParameterStore) {
    precondition(isMergeable, "merge: \(adapters.map { type(of: $0) }) are no changes of weights")
    withoutGradient {
      for linear in store.linears {
        let own = linear.attachments.filter { attached in adapters.contains { $0 === attached } }
        for case let adapter as any MergeableAttachment in own {
          let merged = adapter.merged(linear.weight.master, linear.bias?.master)
          linear.weight.assign(merged.weight)
          if let bias = merged.bias { linear.bias?.assign(bias) }
        }
        linear.detach { attached in own.contains { $0 === attached } }
      }
    }
    store.remove(where: contains)
  }

  /// Takes the adapters off their layers as they are, and their parameters out of the store.
  public func remove(from store: ParameterStore) {
    for linear in store.linears { linear.detach { attached in adapters.contains { $0 === attached } } }
    store.remove(where: contains)
  }
}
