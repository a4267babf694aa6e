import Continual
import NN
import Streams
import Torch

extension MethodState {
  /// Keeps the heads of an experience's classes as they are: experiences that share classes train the same head.
  mutating func keepHeads(of experience: Experience, _ learner: Learner) {
    guard let heads = (learner.model as? any Classifies)?.heads else { return }
    let own = heads.blocks.filter { !Set($0.classes).isDisjoint(with: experience.classes) }
    let parameters = own.flatMap { [$0.linear.weight, $0.linear.bias].compactMap(\.self) }
    self[Self.heads(experience.index)] = Dictionary(
      uniqueKeysWithValues: parameters.map { ($0.name, $0.master.detached().clone()) })
  }

  /// Runs `body` with the heads that were kept of an experience; with those of now where none were.
  func withHeads<Result>(of experience: Int, _ learner: Learner, _ body: () throws -> Result) rethrows -> Result {
    try learner.parameters.withValues(self[Self.heads(experience)], body)
  }

  private static func heads(_ experience: Int) -> String { "heads.\(experience)" }
}
