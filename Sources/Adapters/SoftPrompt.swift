public import NN
public import Torch

/// Trained vectors that a model reads in front of every text, or behind it.
/// Source: Lester et al. 2021, §2 (arXiv 2104.08691); the vectors start as embeddings of random words, as there.
public final class SoftPrompt: PromptAttachment {
  /// `[count, width]`.
  public let vectors: Parameter
  public let place: PromptPlace
  public var isEnabled = true

  /// Attaches a new prompt to `slot`; its parameter is named `prompt.<index>.vectors`.
  public init(
    on slot: PromptSlot, count: Int, at place: PromptPlace = .front, index: Int, seed: UInt64, in store: ParameterStore
  ) {
    precondition(slot.places.contains(place), "SoftPrompt: the model reads no prompt at \(place)")
    self.place = place
    // Not the slot, which holds the prompt.
    let words = slot.words
    vectors = slot.scope(of: "prompt", index, seed: seed, in: store).parameter("vectors", [count, slot.width]) {
      words.randomRows(count, &$0)
    }
    slot.attach(self)
  }

  public var count: Int { vectors.shape[0] }
  public var parameters: [Parameter] { [vectors] }

  public func callAsFunction(_ embedded: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor {
    vectors.value.unsqueezed(0)
  }
}

extension PromptSlot {
  /// Size of the vectors.
  var width: Int { words.weight.shape[1] }

  /// Where a prompt registers its parameters: `<kind>.<index>`, in the embeddings' dtype and on their device.
  func scope(of kind: String, _ index: Int, seed: UInt64, in store: ParameterStore) -> Scope {
    let root = Scope(store: store, dtype: words.weight.value.dtype, device: words.weight.value.device, seed: seed)
    return root.fresh(.adapter, seed: seed) / kind / index
  }
}

extension Embedding {
  /// The vectors of `count` random entries, float32 `[count, width]`.
  func randomRows(_ count: Int, _ random: inout Generator) -> Tensor {
    let entries = UInt64(weight.shape[0])
    let index = (0..<count).map { _ in Int64(random.next() % entries) }
    return withoutGradient {
      let table = weight.current
      return table.gathered(0, Tensor(index, device: table.device))
    }
  }
}
