import Evaluation
import Testing

@Suite struct AbilityScoresTests {
  private var scores: AbilityScores {
    var scores = AbilityScores([
      .init(name: "choice", measure: "scored", examples: 10), .init(name: "sums", measure: "finalNumber", examples: 10),
      .init(name: "code", measure: "loss", examples: 5),
    ])
    scores.begin(with: [.init(percent: 50), .init(percent: 20), .init(loss: 2)])
    scores.append(row: [.init(percent: 40), .init(percent: 30), .init(loss: 1.5)])
    scores.append(row: [.init(percent: 40), .init(percent: 20), .init(loss: 2.25)])
    return scores
  }

  @Test func percentagesAndLossesHaveMeansOfTheirOwn() {
    #expect(scores.finalMean == 30 && scores.change == -5)
    #expect(scores.finalLoss == 2.25 && scores.lossChange == 0.25)
  }

  @Test func whatWasNotMeasuredIsPassedOver() {
    var later = scores
    later.append(row: [])
    #expect(later.rows.count == 3 && later.finalMean == 30)
    let none = AbilityScores(scores.abilities)
    #expect(none.last == nil && none.finalMean == nil && none.change == nil)
  }

  @Test(
    arguments: [
      ("so 3 + 4 = 7 eggs", 7.0), ("#### 1,234", 1234), ("−5 or -5.50.", -5.5), ("3-4", 4), ("x = .5", 5),
      ("none", nil),
      ("", nil), ("12.", 12),
    ] as [(String, Double?)])
  func theLastNumberCounts(_ text: String, _ number: Double?) {
    let isRight = AnswerScore.finalNumber(text, accepted: [number.map { "it is \($0)" } ?? "1"])
    #expect(isRight == (number == nil ? 0 : 100))
  }
}
