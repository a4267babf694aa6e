public import Torch

/// Where vectors enter a model in front of its texts: soft prompts attach here, and the model's code stays as it is.
///
/// The vectors take the first positions, before the first token ([CLS] of BERT, the encoder's text in T5), as in
/// huggingface/peft; the text moves behind them. States at their positions are not given back.
public final class PromptSlot {
  /// The model's word embeddings.
  public let words: Embedding
  /// In order of attachment: the last one stands first, farthest from the text.
  public private(set) var attachments: [any PromptAttachment] = []

  /// The slot of a model whose embeddings these are; a model has one.
  public init(_ words: Embedding, in scope: Scope) {
    self.words = words
    scope.store.add(self)
  }

  public func attach(_ attachment: some PromptAttachment) { attachments.append(attachment) }
  public func detach(where isDetached: (any PromptAttachment) -> Bool) { attachments.removeAll(where: isDetached) }

  /// The prompts that are on, side by side.
  /// - Parameters:
  ///   - embedded: the texts' own embeddings `[rows, length, width]`.
  ///   - mask: `[rows, length]`, 1 for a token and 0 for padding; nil where nothing is padded.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows, count, width]`, or nil where no prompt is on.
  public func callAsFunction(_ embedded: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor? {
    let prompts = attachments.reversed().filter(\.isEnabled).map { prompt in
      prompt(embedded, mask: mask, mode).to(embedded.dtype).expanded([embedded.size(0), -1, -1])
    }
    return prompts.isEmpty ? nil : prompts.count == 1 ? prompts[0] : .concatenated(prompts, 1)
  }
}

/// Vectors that a model reads in front of its texts.
public protocol PromptAttachment: Adapter {
  /// How many vectors it gives for each row.
  var count: Int { get }
  /// - Parameters:
  ///   - embedded: the texts' own embeddings `[rows, length, width]`.
  ///   - mask: `[rows, length]`, 1 for a token and 0 for padding; nil where nothing is padded.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows or 1, count, width]`.
  func callAsFunction(_ embedded: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor
}

extension Tensor {
  /// A mask `[rows, length]` with `count` columns of ones in front.
  public func widened(by count: Int) -> Tensor {
    count == 0 ? self : .concatenated([.ones([size(0), count], dtype: dtype, device: device), self], 1)
  }
}
