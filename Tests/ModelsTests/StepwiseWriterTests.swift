import NN
import Testing
import Torch

@testable import Models

/// Answers of a model that always writes token 1, and counts what it is asked.
@Suite struct StepwiseWriterTests {
  private final class Counting: Reading {
    let first = Tensor([Float(0), 1, 0, 0, 1, 0], shape: [2, 3])
    let context: [[Int32]] = [[0], [0]]
    var asked = 0
    func next(_ tokens: Tensor) -> Tensor {
      asked += 1
      return first
    }
    func select(rows: Tensor) {}
    func hidden(_ tree: AnswerTree) -> Tensor { first }
    func scores(_ hidden: Tensor) -> Tensor { hidden }
  }

  @Test(arguments: [1, 2, 5]) func theModelIsNotAskedForATokenThatNobodyReads(_ count: Int) {
    let reading = Counting()
    let ending = Ending(endTokens: [2], settings: GenerationSettings(maxTokens: count), decode: nil)
    let answers = reading.write(ending, observe: nil)
    #expect(answers.map(\.tokens) == [[Int32]](repeating: [Int32](repeating: 1, count: count), count: 2))
    #expect(reading.asked == count - 1)
  }
}
