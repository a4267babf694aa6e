import Evaluation
import Recipes
import Testing

@Suite struct OutcomeTests {
  @Test func rowsWithoutFiguresAreLeftOut() {
    let matrix = AccuracyMatrix(experiences: ["one", "two"], rows: [[nil, nil], [71.25, 80]])
    #expect(
      Outcome.matrix(matrix) == """
          after │    one    two
            two │   71.2   80.0
        """)
  }
}
