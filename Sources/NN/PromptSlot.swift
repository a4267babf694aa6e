public import Torch

/// Where vectors enter a model beside its texts: soft prompts attach here, and the model's code stays as it is.
///
/// In front, the vectors take the first positions, before the first token ([CLS] of BERT, the encoder's text in T5), as in
/// huggingface/peft; the text moves behind them, and states at their positions are not given back. Behind, they take the
/// positions after the longest text of the batch, so that padding, which nothing sees, stands between a shorter text and
/// them, as in qcwthu/Lifelong-Fewshot-Language-Learning: how far the vectors are from a text depends on its batch.
public final class PromptSlot {
  /// The model's word embeddings.
  public let words: Embedding
  /// Where prompts may stand.
  public let places: Set<PromptPlace>
  /// In order of attachment: the last one stands farthest from the text.
  public private(set) var attachments: [any PromptAttachment] = []

  /// The slot of a model whose embeddings these are; a model has one.
  public init(_ words: Embedding, places: Set<PromptPlace> = [.front], in scope: Scope) {
    (self.words, self.places) = (words, places)
    scope.store.add(self)
  }

  public func attach(_ attachment: some PromptAttachment) { attachments.append(attachment) }
  public func detach(where isDetached: (any PromptAttachment) -> Bool) { attachments.removeAll(where: isDetached) }

  /// How many vectors the prompts that are on give each row at a place.
  public func count(at place: PromptPlace) -> Int {
    attachments.reduce(0) { $0 + ($1.isEnabled && $1.place == place ? $1.count : 0) }
  }

  /// The prompts of one place that are on, side by side.
  /// - Parameters:
  ///   - embedded: the texts' own embeddings `[rows, length, width]`.
  ///   - mask: `[rows, length]`, 1 for a token and 0 for padding; nil where nothing is padded.
  ///   - mode: training or evaluation.
  ///   - place: which prompts.
  /// - Returns: `[rows, count, width]`, or nil where no prompt is on.
  public func callAsFunction(
    _ embedded: Tensor, mask: Tensor?, _ mode: Mode, at place: PromptPlace = .front
  ) -> Tensor? {
    let on = attachments.filter { $0.isEnabled && $0.place == place }
    let prompts = (place == .front ? on.reversed() : on).map { prompt in
      prompt(embedded, mask: mask, mode).to(embedded.dtype).expanded([embedded.size(0), -1, -1])
    }
    return prompts.isEmpty ? nil : prompts.count == 1 ? prompts[0] : .concatenated(prompts, 1)
  }
}

/// Where a prompt stands.
public enum PromptPlace: Sendable {
  /// In front of the text.
  case front
  /// Behind the longest text of the batch.
  case behind
}

/// Vectors that a model reads beside its texts.
public protocol PromptAttachment: Adapter {
  var place: PromptPlace { get }
  /// How many vectors it gives for each row.
  var count: Int { get }
  /// - Parameters:
  ///   - embedded: the texts' own embeddings `[rows, length, width]`.
  ///   - mask: `[rows, length]`, 1 for a token and 0 for padding; nil where nothing is padded.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows or 1, count, width]`.
  func callAsFunction(_ embedded: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor
}

extension PromptAttachment {
  public var place: PromptPlace { .front }
}

extension Tensor {
  /// A mask `[rows, length]` with `count` columns of ones in front, and `behind` at the end.
  public func widened(by count: Int, behind: Int = 0) -> Tensor {
    guard count + behind > 0 else { return self }
    let ones = [count, behind].map { Tensor.ones([size(0), $0], dtype: dtype, device: device) }
    return .concatenated([ones[0], self, ones[1]], 1)
  }
}
