public import Torch

/// Mean cross-entropy over the tokens that a language model must write.
///
/// Scores exist for the labelled positions only, and in float32 for at most `chunk` of them at a time in the forward
/// pass; the graph keeps each chunk's log-probabilities until the backward pass.
/// - Parameters:
///   - hidden: `[rows, positions, width]`.
///   - labels: int64 `[rows, positions]`: the token to predict at that hidden state, −100 where there is none.
///   - chunk: positions whose scores are made at once.
///   - logits: the model's head, `[n, width]` → `[n, vocabulary]`.
/// - Returns: float32 scalar; 0 where nothing is labelled.
public func tokenCrossEntropy(
  _ hidden: Tensor, _ labels: Tensor, chunk: Int = 1024, logits: (Tensor) -> Tensor
) -> Tensor {
  precondition(
    labels.shape == [hidden.size(0), hidden.size(1)],
    "tokenCrossEntropy: labels are \(labels.shape), hidden states \(hidden.shape)")
  let flat = labels.reshaped(-1)
  let positions = flat.scalars(Int64.self).enumerated().filter { $0.element != -100 }.map { Int64($0.offset) }
  guard !positions.isEmpty else { return (hidden.to(.float32) * 0).sum() }
  let states = hidden.reshaped(-1, hidden.size(2))
  let losses = stride(from: 0, to: positions.count, by: chunk).map { start -> Tensor in
    let part = Tensor(Array(positions[start..<min(start + chunk, positions.count)]), device: hidden.device)
    return logits(states.gathered(0, part)).to(.float32).crossEntropy(flat.gathered(0, part), reduction: .sum)
  }
  return losses.dropFirst().reduce(losses[0], +) / Double(positions.count)
}
