import Adapters
import NN
import Torch

/// Low-rank updates of one linear layer that are weighed: y ← y + Σ_i w_i·(α/r)·(dropout(x)·A_iᵀ)·B_iᵀ.
///
/// Where there are weights for the first k summands only, the others take no part.
final class LoRAMixture: TakesLoRA {
  /// What is summed, all of one rank; they are not attached themselves.
  private(set) var loras: [LoRA] = []
  var isEnabled = true
  private var hidden: [ActivationTap] = []
  private let output: ActivationTap
  private let dropout: Double
  /// The weights of the summands for the layer's input `[..., inputs]` and the pass's rows, float32, broadcasting to
  /// `[..., summands]` or fewer.
  let weigh: (Tensor, Mode) -> Tensor

  /// Attaches to `linear` a sum without summands.
  init(on linear: Linear, dropout: Double, weigh: @escaping (Tensor, Mode) -> Tensor) {
    (self.dropout, self.weigh) = (dropout, weigh)
    output = linear.output
    linear.attach(self)
  }

  /// Takes a LoRA that is attached to `linear` into the sum.
  func take(_ lora: LoRA, from linear: Linear) {
    linear.detach { $0 === lora }
    loras.append(lora)
    hidden.append(ActivationTap())
  }

  var parameters: [Parameter] { loras.flatMap(\.parameters) }

  /// As for a LoRA of its own: A by its hidden activations, before they are weighed, and B by the layer's output.
  var rowWeights: [RowWeight] {
    zip(loras, hidden).flatMap { lora, hidden in
      [RowWeight(parameter: lora.a, tap: hidden), RowWeight(parameter: lora.b, tap: output)]
    }
  }

  func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    guard let first = loras.first else { return y }
    let rank = first.a.shape[0], weights = weigh(x, mode), loras = loras.prefix(weights.size(-1))
    let low = mode.dropout(x, dropout).linear(.concatenated(loras.map(\.a.value)))
    for (index, tap) in hidden.prefix(loras.count).enumerated() where tap.isRecording {
      tap.observe(low.narrowed(low.rank - 1, index * rank..<(index + 1) * rank), mode)
    }
    let parts = low.reshaped(Array(low.shape.dropLast()) + [loras.count, rank])
    let weighed = parts * weights.to(low.dtype).unsqueezed(-1)
    // Scaled while it is narrow.
    return y + (weighed.reshaped(low.shape) * first.scale).linear(.concatenated(loras.map(\.b.value), 1))
  }
}

/// An attachment that decides how low-rank updates of its layer act together.
protocol TakesLoRA: Attachment {
  /// Takes a LoRA that is attached to `linear` away from it.
  func take(_ lora: LoRA, from linear: Linear)
}

extension AdapterSet {
  /// Gives every LoRA of the set to the attachment of its layer.
  func move(into attachments: [some TakesLoRA], on layers: [Linear]) {
    for (lora, (attachment, layer)) in zip(loras, zip(attachments, layers)) { attachment.take(lora, from: layer) }
  }
}
