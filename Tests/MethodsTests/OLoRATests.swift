import Continual
import Methods
import NN
import TestSupport
import Testing
import Torch

@Suite struct OLoRATests {
  private func configuration(lambda1: Double = 0.5, lambda2: Double = 0) -> OLoRA.Configuration {
    configured { ($0.rank, $0.alpha, $0.dropout, $0.lambda1, $0.lambda2) = (4, 8, 0, lambda1, lambda2) }
  }

  private func toy(_ method: (Learner) -> any ContinualMethod) throws -> Toy {
    try Toy(try Trace.model(), train: (0..<3).map { Toy.examples($0, seed: UInt64($0)) }) { [method($0)] }
  }

  /// Σ over the adapted layers of Σ|A_earlier·A_newᵀ|, in plain arithmetic.
  private func overlap(_ weights: [String: Tensor], new: Int) -> Double {
    var sum = 0.0
    for (name, a) in weights where name.hasSuffix(".lora.\(new).a") {
      for earlier in 0..<new {
        let other = weights[name.replacing(".lora.\(new).a", with: ".lora.\(earlier).a")]?.values() ?? []
        let rows = a.values(), width = a.size(1)
        for i in 0..<a.size(0) {
          for j in 0..<a.size(0) {
            sum += abs((0..<width).reduce(0.0) { $0 + Double(rows[i * width + $1]) * Double(other[j * width + $1]) })
          }
        }
      }
    }
    return sum
  }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [OLoRA(configuration(), learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "o-lora") == [])
  }

  @Test func withoutStrengthIsIncLoRAToTheBit() throws {
    let orthogonal = try toy { OLoRA(configuration(lambda1: 0), learner: $0) }
    let incremental = try toy { IncLoRA(goldenLoRA, learner: $0) }
    try orthogonal.trainer.run()
    try incremental.trainer.run()
    #expect(orthogonal.recorder.losses == incremental.recorder.losses)
    #expect(areSame(orthogonal.parameters.snapshot(), incremental.parameters.snapshot()))
  }

  @Test func addsTheOverlapWithAllEarlierAdapters() throws {
    // The weights at the start of the second experience are those of inc-lora; the losses differ by the penalty.
    let orthogonal = try toy { OLoRA(configuration(lambda1: 0.25), learner: $0) }
    let incremental = try toy { IncLoRA(goldenLoRA, learner: $0) }
    var starts: [[String: Tensor]] = []
    orthogonal.recorder.onBegin = { _ in starts.append(orthogonal.parameters.snapshot { $0.role == .adapter }) }
    try orthogonal.trainer.run()
    try incremental.trainer.run()
    let first = 4
    #expect(Array(orthogonal.recorder.losses[0..<first]) == Array(incremental.recorder.losses[0..<first]))
    let added = orthogonal.recorder.losses[first] - incremental.recorder.losses[first]
    #expect(abs(added - 0.25 * overlap(starts[1], new: 1)) < 1e-4)
    #expect(added > 0.1)
  }

  @Test func aGreatStrengthDrivesTheOverlapToZero() throws {
    let toy = try Toy(
      try Trace.model(), train: (0..<3).map { Toy.examples($0, seed: UInt64($0)) },
      settings: { ($0.epochs, $0.schedule) = (60, .linear) }
    ) { [OLoRA(configuration(lambda1: 1000), learner: $0)] }
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot { $0.role == .adapter }) }
    try toy.trainer.run()
    let final = toy.parameters.snapshot { $0.role == .adapter }
    for index in 1...2 { #expect(overlap(final, new: index) < 0.05 * overlap(starts[index], new: index)) }
    let earlier = starts[2].filter { !$0.key.contains(".lora.2.") }
    #expect(areSame(earlier, final.filter { earlier.keys.contains($0.key) }))
  }

  @Test func strengthsGivenByExperienceTakeThePlaceOfTheCommonOnes() throws {
    var listed = configuration(lambda1: 9, lambda2: 9)
    (listed.lambda1PerExperience, listed.lambda2PerExperience) = ([0, 0.25], [0])
    let scheduled = try toy { OLoRA(listed, learner: $0) }
    let plain = try toy { OLoRA(configuration(lambda1: 0.25), learner: $0) }
    try scheduled.trainer.run()
    try plain.trainer.run()
    // The first experience has nothing to be orthogonal to; the last value of a list goes on.
    #expect(scheduled.recorder.losses == plain.recorder.losses)
    #expect(areSame(scheduled.parameters.snapshot(), plain.parameters.snapshot()))
  }

  @Test func addsTheNormsOfTheNewFactors() throws {
    let normed = try toy { OLoRA(configuration(lambda1: 0, lambda2: 0.5), learner: $0) }
    let plain = try toy { IncLoRA(goldenLoRA, learner: $0) }
    var norms = 0.0
    normed.recorder.onBegin = { index in
      guard index == 0 else { return }
      for value in normed.parameters.snapshot({ $0.role == .adapter }).values {
        norms += value.values().reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
    }
    try normed.trainer.run()
    try plain.trainer.run()
    #expect(abs(normed.recorder.losses[0] - plain.recorder.losses[0] - 0.5 * norms) < 1e-4)
    #expect(normed.recorder.losses.allSatisfy { $0.isFinite })
  }
}
