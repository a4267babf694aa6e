public import Foundation
public import NN
package import Torch

/// Float32 weights by name, each made when it is asked for: a model goes out one tensor at a time.
public struct LazyWeights {
  struct Item {
    let shape: [Int]
    let values: () -> Tensor
  }
  private(set) var items: [String: Item] = [:]

  /// Weights that are there already.
  package init(_ tensors: [String: Tensor]) {
    items = tensors.mapValues { tensor in Item(shape: tensor.shape) { tensor } }
  }

  init(_ items: [String: Item]) { self.items = items }

  /// All of them.
  func tensors() -> [String: Tensor] { items.mapValues { $0.values() } }
}

extension ParameterStore {
  /// Backbone weights as the forward pass uses them now, low-rank adapters merged in, float32.
  /// - Throws: `ExportError` where an attachment is no change of the weight.
  package func mergedBackbone() throws -> [String: Tensor] { try lazyMergedBackbone().tensors() }

  /// `mergedBackbone`, each weight made when it is asked for, by the parameters as they are then; no master is kept for it.
  public func lazyMergedBackbone() throws -> LazyWeights {
    let read = (promptSlot?.attachments ?? []) as [any Adapter] + prefixSlots.flatMap(\.attachments)
    if read.contains(where: \.isEnabled) { throw ExportError.prompt }
    var items: [String: LazyWeights.Item] = [:]
    for parameter in all where parameter.role == .backbone {
      items[parameter.name] = .init(shape: parameter.shape) { parameter.unkept }
    }
    for (name, layers) in Dictionary(grouping: linears, by: \.weight.name) {
      let attached = try layers.map { layer in (layer, try layer.mergeable()) }.filter { !$0.1.isEmpty }
      guard !attached.isEmpty else { continue }
      items[name] = .init(shape: layers[0].weight.shape) {
        attached.reduce(layers[0].weight.unkept) { $1.0.merged($0, $1.1).weight }
      }
      for (layer, attachments) in attached {
        guard let bias = layer.bias else { continue }
        items[bias.name] = .init(shape: bias.shape) {
          layer.merged(layer.weight.unkept, attachments).bias ?? bias.unkept
        }
      }
    }
    return LazyWeights(items)
  }
}

extension Linear {
  /// The enabled attachments.
  fileprivate func mergeable() throws -> [any MergeableAttachment] {
    try attachments.filter(\.isEnabled).map { attachment in
      guard let mergeable = attachment as? any MergeableAttachment else {
        throw ExportError.notMergeable(layer: weight.name)
      }
      return mergeable
    }
  }

  /// `weight` and the layer's bias with the attachments merged in.
  fileprivate func merged(_ weight: Tensor, _ attachments: [any MergeableAttachment]) -> (weight: Tensor, bias: Tensor?)
  {
    withoutGradient { attachments.reduce((weight, bias?.unkept)) { $1.merged($0.0, $0.1) } }
  }
}

/// A model that has no plain form.
public enum ExportError: LocalizedError, CustomStringConvertible, Equatable {
  case notMergeable(layer: String)
  case prompt

  public var description: String {
    switch self {
    case .notMergeable(let layer):
      "the adapter on \(layer) is no change of its weight and cannot be merged into it. 'jay predict' and 'jay evaluate' "
        + "use the model in the run's folder; train with a low-rank adapter (lora) for one that other programs load."
    case .prompt:
      "the model reads a prompt or a prefix, which is no change of its weights. --adapter writes it alone, where "
        + "PEFT has a form for it; 'jay predict' and 'jay evaluate' use the model in the run's folder."
    }
  }
  public var errorDescription: String? { description }
}
