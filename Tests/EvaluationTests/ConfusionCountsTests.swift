import Evaluation
import Testing

@Suite struct ConfusionCountsTests {
  private func counts(_ gold: [Int], _ predicted: [Int?], classes: Int) -> ConfusionCounts {
    var counts = ConfusionCounts(classes: classes)
    for (label, answer) in zip(gold, predicted) { counts.add(gold: label, predicted: answer) }
    return counts
  }

  @Test func macroF1EqualsScikitLearn() {
    // f1_score([0,0,1,1,2], [0,1,1,1,0], average="macro") = 0.43333333333333335
    let counts = counts([0, 0, 1, 1, 2], [0, 1, 1, 1, 0], classes: 3)
    #expect(counts.macroF1.isNear(43.333333333333335))
    #expect(counts.accuracy.isNear(60))
  }

  @Test func anAbsentClassIsLeftOut() {
    // f1_score([0,0,1,1], [0,1,1,1], average="macro") = 0.7333333333333333; labels=[0,1,2] would give 0.4889
    #expect(counts([0, 0, 1, 1], [0, 1, 1, 1], classes: 3).macroF1.isNear(73.33333333333333))
  }

  @Test func anAnswerThatNamesNoClassIsAnError() {
    // f1_score([0,0,1], [0,5,1], labels=[0,1], average="macro") = 0.8333333333333333
    let counts = counts([0, 0, 1], [0, nil, 1], classes: 2)
    #expect(counts.macroF1.isNear(83.33333333333333))
    #expect(counts.accuracy.isNear(200.0 / 3))
  }

  @Test func withoutItemsThereIsNoScore() {
    #expect(ConfusionCounts(classes: 2).accuracy == nil)
    #expect(ConfusionCounts(classes: 2).macroF1 == nil)
  }
}
