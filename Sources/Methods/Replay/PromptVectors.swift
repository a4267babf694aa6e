import Continual
import NN
import Streams
import Torch

extension Learner {
  /// Initial vectors of a prompt, float32 `[count, width]`: the mean word embedding of "sentence classification", of the
  /// experience's name and of each of its labels, then words drawn from the 5000 most frequent of its training texts.
  /// Source: qcwthu/Lifelong-Fewshot-Language-Learning at cf7d17c, `Classification/utils.py`, which counts words elsewhere.
  func promptVectors(_ count: Int, about experience: Experience) -> Tensor {
    guard let table = parameters.promptSlot?.words.weight.current else {
      preconditionFailure("promptVectors: \(type(of: model)) reads no prompts")
    }
    let names = (["sentence classification", experience.name] + experience.labels).map(tokens(of:))
    let frequent = frequentTokens(in: experience)
    precondition(!frequent.isEmpty, "promptVectors: the training texts of \(experience.name) are empty")
    var random = generator.derived("lfpt5.words")
    let order = frequent.permuted(using: &random)
    let groups = names.filter { !$0.isEmpty }.prefix(count)
    // Where there are fewer frequent words than vectors, they come again.
    let words = (0..<count - groups.count).map { [order[$0 % order.count]] }
    return withoutGradient {
      let rows = (groups + words).map { Tensor($0.map(Int64.init), device: table.device) }
      return .concatenated(rows.map { table.gathered(0, $0).mean(0, keep: true) }, 0)
    }
  }

  /// The 5000 most frequent tokens of the training texts, those that end answers left out.
  private func frequentTokens(in experience: Experience) -> [Int32] {
    var counts: [Int32: Int] = [:]
    for example in data(of: experience).train {
      for token in example.tokens { counts[token, default: 0] += 1 }
    }
    for token in (model as? any Generates)?.endTokens ?? [] { counts[token] = nil }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5000).map(\.key)
  }
}
