public import NN
public import Torch

/// Prompts with keys, of which each text reads those whose keys are most like it.
///
/// A text's query is the mean of its word embeddings; the `chosen` keys of largest cosine to it choose, and their prompts
/// stand in front of the text, the best first.
/// Source: Wang et al. 2022, §4.1 (arXiv 2112.08654), with the query of its language-model versions.
public final class PromptPool: PromptAttachment {
  /// Size of the pool.
  public struct Configuration: Sendable {
    /// Prompts in the pool.
    public var prompts: Int
    /// Vectors in each of them.
    public var length: Int
    /// Prompts that a text reads.
    public var chosen: Int

    public init(prompts: Int, length: Int, chosen: Int) {
      precondition(chosen <= prompts, "PromptPool: \(chosen) of \(prompts) prompts cannot be chosen")
      (self.prompts, self.length, self.chosen) = (prompts, length, chosen)
    }
  }

  /// `[prompts, width]`.
  public let keys: Parameter
  /// `[prompts, length, width]`.
  public let vectors: Parameter
  public var isEnabled = true
  private let configuration: Configuration
  private var lastMatch: Tensor?

  /// Attaches a new pool to `slot`; its parameters are named `pool.<index>.…`.
  public init(on slot: PromptSlot, _ configuration: Configuration, index: Int, seed: UInt64, in store: ParameterStore) {
    let scope = slot.scope(of: "pool", index, seed: seed, in: store), width = slot.width
    let (prompts, length) = (configuration.prompts, configuration.length)
    keys = scope.parameter("keys", [prompts, width], .normal(deviation: 1))
    // Not the slot, which holds the pool.
    let words = slot.words
    vectors = scope.parameter("vectors", [prompts, length, width]) {
      words.randomRows(prompts * length, &$0).reshaped(prompts, length, width)
    }
    self.configuration = configuration
    slot.attach(self)
  }

  public var count: Int { configuration.chosen * configuration.length }
  public var parameters: [Parameter] { [keys, vectors] }

  public func callAsFunction(_ embedded: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor {
    let (similarity, index) = choice(embedded, mask: mask)
    if mode.isTraining { lastMatch = similarity.sum(1).mean() }
    let table = vectors.value.reshaped(configuration.prompts, -1)
    return table.embedding(index).reshaped(embedded.size(0), count, embedded.size(2))
  }

  /// How well the chosen keys fit the texts of the last training pass: the sum of their cosines, averaged over the rows.
  /// Nil where there was none since the last call, for it holds the graph of the keys.
  public func takeMatch() -> Tensor? {
    defer { lastMatch = nil }
    return lastMatch
  }

  /// The cosines of each row's best keys, float32 `[rows, chosen]`, and which keys those are, int64 `[rows, chosen]`.
  func choice(_ embedded: Tensor, mask: Tensor?) -> (similarity: Tensor, index: Tensor) {
    let texts = embedded.detached().to(.float32)
    // A cosine does not see lengths, so that a sum is as good as a mean.
    let queries = mask.map { (texts * $0.unsqueezed(2)).sum(1) } ?? texts.sum(1)
    let similarity = normalized(queries).matmul(normalized(keys.value.to(.float32)).t)
    let index = similarity.detached().top(configuration.chosen, dimension: 1).indices
    return (similarity.taken(1, index), index)
  }

  private func normalized(_ rows: Tensor) -> Tensor {
    rows * (rows.squared().sum(1, keep: true) + 1e-12).rsqrt()
  }
}
