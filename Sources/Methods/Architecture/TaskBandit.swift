import Continual
import Foundation
import Torch

/// Which earlier experience is most like the present one, layer by layer: a bandit that learns distances by asking.
///
/// Of every pair of experience and layer it knows how often it was chosen, and the sum of the distances found then.
/// Chosen is by the lower confidence bound mean − √(ln(2T(t+1)(t+2)) / 2n) of the distance; what was never chosen comes
/// first. Source: Qian et al., ICML 2025, §3.2 (arXiv 2506.10355); ZinYY/TreeLoRA `utils/kd_lora_tree.py`.
struct TaskBandit: Equatable {
  let experiences: Int, layers: Int
  /// Of experience k and layer l at k · layers + l.
  private(set) var counts: [Float]
  private(set) var distances: [Float]

  init(experiences: Int, layers: Int) {
    (self.experiences, self.layers) = (experiences, layers)
    counts = [Float](repeating: 0, count: experiences * layers)
    distances = counts
  }

  /// What `tensors` gave.
  init(_ tensors: [String: Tensor], experiences: Int, layers: Int) {
    self.init(experiences: experiences, layers: layers)
    if let counts = tensors["counts"], let distances = tensors["distances"] {
      (self.counts, self.distances) = (counts.values(), distances.values())
    }
  }

  var tensors: [String: Tensor] {
    ["counts": Tensor(counts), "distances": Tensor(distances)]
  }

  /// How promising each pair is, larger is better, the worst at zero.
  func scores(step: Int, total: Int) -> [Double] {
    let confidence = log(2 * Double(total) * Double(step + 1) * Double(step + 2)).squareRoot()
    let raw = zip(counts, distances).map { count, distance -> Double in
      let mean = Double(distance) / Double(max(count, 1))
      return confidence / (2 * Double(count) + 1e-5).squareRoot() - mean
    }
    let least = raw.min() ?? 0
    return raw.map { $0 - least }
  }

  /// An experience for each layer: first one for all layers, by the sum of its scores; then, with the scores of those
  /// beside it in the tree raised, one a layer.
  func choose(_ tree: TaskTree, step: Int, total: Int, using generator: inout Generator) -> [Int] {
    var scores = scores(step: step, total: total)
    let sums = (0..<experiences).map { k in scores[k * layers..<(k + 1) * layers].reduce(0, +) }
    if let prior = tree.prior(of: Self.draw(sums, using: &generator)) {
      for k in prior.experiences {
        for place in k * layers..<(k + 1) * layers { scores[place] *= prior.factor }
      }
    }
    let range = (scores.max() ?? 0) - (scores.min() ?? 0) + 1e-5
    return (0..<layers).map { layer in
      Self.draw((0..<experiences).map { scores[$0 * layers + layer] / range }, using: &generator)
    }
  }

  /// Takes note of the distances of what was chosen for each layer.
  mutating func learn(_ chosen: [Int], distances found: [Float]) {
    for (layer, experience) in chosen.enumerated() {
      counts[experience * layers + layer] += 1
      distances[experience * layers + layer] += found[layer]
    }
  }

  /// An index with the probabilities softmax(scores).
  static func draw(_ scores: [Double], using generator: inout Generator) -> Int {
    let most = scores.max() ?? 0, powers = scores.map { exp($0 - most) }
    var left = generator.uniform() * powers.reduce(0, +)
    // Rounding may leave a sliver behind the last one.
    return powers.firstIndex { power in
      left -= power
      return left < 0
    } ?? scores.count - 1
  }
}
