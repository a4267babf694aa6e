import Adapters
import NN
import Torch

/// Low-rank updates of one linear layer of which each row of a batch gets one: y ← y + (α/r)·(dropout(x)·A_iᵀ)·B_iᵀ.
///
/// A row gets the same bits whatever other updates there are.
final class LoRAChoice: TakesLoRA {
  /// What is chosen from; they are not attached themselves.
  private(set) var loras: [LoRA] = []
  var isEnabled = true
  /// The updates that some row of the layer's input `[..., inputs]` gets, each with where it does: bool, broadcasting to
  /// `[..., outputs]`; nil for everywhere.
  private let choose: (Tensor, Mode) -> [(index: Int, rows: Tensor?)]

  /// Attaches to `linear` a choice of nothing.
  init(on linear: Linear, choose: @escaping (Tensor, Mode) -> [(index: Int, rows: Tensor?)]) {
    self.choose = choose
    linear.attach(self)
  }

  func take(_ lora: LoRA, from linear: Linear) {
    linear.detach { $0 === lora }
    loras.append(lora)
  }

  var parameters: [Parameter] { loras.flatMap(\.parameters) }
  var rowWeights: [RowWeight] { loras.flatMap(\.rowWeights) }

  func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    choose(x, mode).reduce(y) { result, chosen in
      let updated = loras[chosen.index](x, y, mode)
      return chosen.rows.map { .select($0, updated, result) } ?? updated
    }
  }
}
