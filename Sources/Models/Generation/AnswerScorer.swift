import NN
import Torch

extension Reading {
  /// Log-likelihood of each answer behind each row's text, divided by the answer's length in tokens.
  ///
  /// The texts were read once; all answers follow in one more pass, laid out as a tree.
  /// - Returns: float32 `[rows, answers]`.
  func score(_ tree: AnswerTree) -> Tensor {
    let width = tree.steps.count, vocabulary = first.size(1)
    var parts: [Tensor] = []
    let roots = tree.steps.prefix { $0.parent == nil }
    parts.append(likelihoods(first, of: roots.map { Int64($0.token) }))
    if !tree.fed.isEmpty {
      let hidden = hidden(tree)
      // The scores of a chunk take at most 64 MB, however many answers there are.
      let chunk = max(1, (16 << 20) / (vocabulary * first.size(0)))
      for start in stride(from: 0, to: tree.fed.count, by: chunk) {
        let range = start..<min(start + chunk, tree.fed.count)
        let places = tree.steps.compactMap { step in
          step.parent.flatMap { range.contains($0) ? Int64(($0 - start) * vocabulary) + Int64(step.token) : nil }
        }
        parts.append(likelihoods(scores(hidden.narrowed(1, range)), of: places))
      }
    }
    var shares = [Float](repeating: 0, count: width * tree.paths.count)
    for (answer, path) in tree.paths.enumerated() {
      for step in path { shares[step * tree.paths.count + answer] = 1 / Float(path.count) }
    }
    return Tensor.concatenated(parts, 1)
      .matmul(Tensor(shares, shape: [width, tree.paths.count], device: first.device))
  }

  /// `scores [rows, ..., vocabulary]` → log-likelihoods at `places` of a row laid out flat: `[rows, places.count]`.
  private func likelihoods(_ scores: Tensor, of places: [Int64]) -> Tensor {
    scores.logSoftmax(-1).reshaped(scores.size(0), -1).gathered(1, Tensor(places, device: scores.device))
  }
}
