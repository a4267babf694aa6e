import NN
import TestSupport
import Testing
import Torch

@Suite struct HeadBankTests {
  /// Heads over features of width 2 whose class k has the weight row (k + 1, 0) and the bias 0.
  private func bank(_ blocks: [[Int]]) -> HeadBank {
    let bank = HeadBank(width: 2, dropout: 0, in: freshScope())
    for classes in blocks { bank.add(classes) }
    for block in bank.blocks {
      let rows = block.classes.flatMap { [Float($0 + 1), 0] as [Float] }
      block.linear.weight.assign(Tensor(rows, shape: [block.classes.count, 2]))
    }
    return bank
  }
  private let features = Tensor([1, 0, -1, 5] as [Float], shape: [2, 2])

  @Test func oneBlockGivesOneColumnAClass() {
    let output = bank([[0, 1]])(features, batch(targets: [1, 0], sets: [[0, 1]]), .evaluation)
    #expect(output.scores.columns == [0, 1])
    #expect(difference(output.scores.values, [1, 2, -1, -2]) == nil)
    // Each row is −log of 1/(1 + e⁻¹).
    #expect(difference(output.loss, [0.3132617]) == nil)
    #expect(output.scores.predictions() == [1, 0])
  }

  @Test func blocksStandSideBySide() {
    let output = bank([[4, 1], [2]])(features, batch(targets: [4, 2], sets: [[1, 2, 4]]), .evaluation)
    #expect(output.scores.columns == [4, 1, 2])
    #expect(difference(output.scores.values, [5, 2, 3, -5, -2, -3]) == nil)
    #expect(output.scores.predictions() == [4, 1])
  }

  @Test func candidatesOfARowLeaveMinusInfinityElsewhere() {
    let both = batch(targets: [1, 2], candidates: [0, 1], sets: [[0, 1], [2, 3]])
    let output = bank([[0, 1], [2, 3]])(features, both, .evaluation)
    let out = -Float.infinity
    #expect(output.scores.values.values() == [1, 2, out, out, out, out, -3, -4])
    #expect(output.scores.predictions() == [1, 2])
    let alone = bank([[0, 1]])(features, batch(targets: [1, 0], sets: [[0, 1]]), .evaluation)
    #expect(difference(output.loss, alone.loss.values()) == nil, "the loss sees the candidates of a row only")
  }

  @Test func candidatesMayBePartOfABlock() {
    let output = bank([[0, 1, 2]])(features, batch(targets: [2, 0], sets: [[0, 2]]), .evaluation)
    #expect(output.scores.values.values() == [1, -.infinity, 3, -1, -.infinity, -3])
    // Differences of 2 in favour of the target.
    #expect(difference(output.loss, [0.126928]) == nil)
  }

  @Test func aNewBlockLeavesTheOldOnesAlone() {
    let bank = bank([[0, 1]])
    let old = bank.blocks[0].linear.weight
    let before = (old.name, old.master.values())
    let batch = batch(targets: [1, 0], sets: [[0, 1]])
    let logits = bank(features, batch, .evaluation).scores.values.values()
    bank.add([1, 2, 0, 3])
    bank.add([3])
    #expect(bank.blocks.map(\.classes) == [[0, 1], [2, 3]])
    #expect(bank.classes == [0, 1, 2, 3])
    #expect(bank.blocks.map { $0.linear.weight.name } == ["heads.0.weight", "heads.1.weight"])
    #expect((old.name, old.master.values()) == before)
    #expect(bank(features, batch, .evaluation).scores.values.values() == logits)
  }

  @Test func anInactiveBlockGetsNoGradient() {
    let bank = bank([[0, 1], [2, 3]])
    for block in bank.blocks { block.linear.weight.isTrainable = true }
    bank(features, batch(targets: [1, 0], sets: [[0, 1]]), .training(Generator(seed: 0))).loss.backward()
    #expect(bank.blocks[0].linear.weight.gradient != nil)
    #expect(bank.blocks[1].linear.weight.gradient == nil)
  }

  @Test func maskedClassesGetAZeroGradient() throws {
    let bank = bank([[0, 1, 2]])
    let weight = bank.blocks[0].linear.weight
    weight.isTrainable = true
    bank(features, batch(targets: [2, 0], sets: [[0, 2]]), .evaluation).loss.backward()
    let gradient = try #require(weight.gradient)
    #expect(gradient.at(0, 1).values() == [0, 0])
    #expect(gradient.at(0, 0).values() != [0, 0])
  }

  @Test func aTargetWithoutColumnDoesNotCount() {
    let bank = bank([[0, 1]])
    let one = bank(features, batch(targets: [1, 9], sets: [[0, 1]]), .evaluation).loss
    #expect(difference(one, [0.3132617]) == nil)
  }

  @Test func lossesOfBfloat16FeaturesAreFloat32() {
    let bank = HeadBank(width: 2, dropout: 0, in: freshScope(dtype: .bfloat16))
    bank.add([0, 1])
    let output = bank(features.to(.bfloat16), batch(targets: [1, 0], sets: [[0, 1]]), .evaluation)
    #expect(output.scores.values.dtype == .float32 && output.loss.dtype == .float32)
  }
}
