import NN
import Streams
import Testing
import Torch

@testable import Continual

/// What is read and what is written in pre-training.
@Suite struct ObjectiveTests {
  private func row(_ tokens: [Int32], documents: [Int32] = []) -> TokenizedExample {
    var row = TokenizedExample(id: "r", tokens: tokens, firstLength: tokens.count, target: -1, experience: 0)
    row.documents = documents
    return row
  }

  @Test func hiddenTokensAreAShareOfTheOrdinaryOnes() {
    let objective = MaskedTokens(mask: 4, special: [2, 3, 4], vocabularySize: 1000, share: 0.15)
    var generator = Generator(seed: 1)
    let tokens: [Int32] = [2] + (0..<98).map { 100 + $0 % 50 } + [3]
    var chosen = 0, masked = 0, kept = 0
    let draws = 400
    for _ in 0..<draws {
      let posed = objective.pose(row(tokens), using: &generator)
      #expect(posed.answer == posed.places.map { tokens[Int($0)] })
      #expect(!posed.places.contains(0) && !posed.places.contains(99))
      for place in tokens.indices where !posed.places.contains(Int32(place)) {
        #expect(posed.tokens[place] == tokens[place])
      }
      chosen += posed.places.count
      masked += posed.places.count { posed.tokens[Int($0)] == 4 }
      kept += posed.places.count { posed.tokens[Int($0)] == tokens[Int($0)] }
    }
    // Five standard deviations about 0.15·98·400, and 80 % and 10 % of them.
    #expect(abs(chosen - 5880) < 360)
    #expect(abs(Double(masked) / Double(chosen) - 0.8) < 0.03)
    #expect(abs(Double(kept) / Double(chosen) - 0.1) < 0.025)
  }

  @Test func aRowInWhichNothingWasHiddenGetsOneToken() {
    let objective = MaskedTokens(mask: 4, special: [2, 3], vocabularySize: 50, share: 0.01)
    var generator = Generator(seed: 1)
    for _ in 0..<50 { #expect(objective.pose(row([2, 9, 3]), using: &generator).answer == [9]) }
    #expect(objective.pose(row([2, 3]), using: &generator).answer.isEmpty)
  }

  @Test func everyTokenIsPredictedFromThoseBeforeIt() {
    var generator = Generator(seed: 0)
    let objective = NextToken(end: 2)
    #expect(objective.document([5, 6]) == [5, 6, 2] && objective.document([5, 2]) == [5, 2])
    let posed = objective.pose(row([5, 6, 7, 8]), using: &generator)
    #expect(posed.tokens == [5, 6, 7] && posed.answer == [6, 7, 8] && posed.places == [0, 1, 2])
    let packed = objective.pose(row([5, 6, 2, 8, 9, 2], documents: [3, 3]), using: &generator)
    #expect(packed.tokens == [5, 6, 2, 8, 9] && packed.documents == [3, 2])
    #expect(packed.places == [0, 1, 3, 4] && packed.answer == [6, 2, 9, 2])
  }

  @Test(arguments: [2, 3, 7, 20, 128, 583]) func spansThatWereTakenOutAreWritten(_ length: Int) {
    let sentinels = (0..<100).map { Int32(9999 - $0) }
    let objective = SpanCorruption(sentinels: sentinels, end: 1)
    let tokens = (0..<length).map { Int32(10 + $0) }
    var generator = Generator(seed: 5)
    for _ in 0..<20 {
      let posed = objective.pose(row(tokens), using: &generator)
      let (noise, spans) = objective.counts(length)
      #expect(posed.tokens.count == length - noise + spans + 1 && posed.answer.count == noise + spans + 1)
      #expect(posed.tokens.last == 1 && posed.answer.last == 1)
      // Each sentinel of the text gives way to what stands behind it in the answer.
      let whole = posed.tokens.dropLast().flatMap { token -> [Int32] in
        guard sentinels.contains(token), let place = posed.answer.firstIndex(of: token) else { return [token] }
        return Array(posed.answer[(place + 1)...].prefix { !sentinels.contains($0) && $0 != 1 })
      }
      #expect(whole == tokens)
      #expect(posed.answer.filter(sentinels.contains) == Array(sentinels.prefix(spans)))
    }
  }

  @Test(arguments: [2, 3, 128]) func whatFollowsABeginningIsWritten(_ length: Int) {
    let objective = PrefixLanguageModelling(end: 1), tokens = (0..<length).map { Int32(10 + $0) }
    #expect(objective.document([5, 6, 1]) == [5, 6] && objective.document([5, 6]) == [5, 6])
    var generator = Generator(seed: 5), cuts = Set<Int>()
    for _ in 0..<1500 {
      let posed = objective.pose(row(tokens), using: &generator)
      #expect(posed.tokens.last == 1 && posed.answer.last == 1)
      #expect(posed.tokens.dropLast() + posed.answer.dropLast() == tokens)
      cuts.insert(posed.answer.count)
    }
    // Every place is drawn; the longest beginning and its end are as long as the row.
    #expect(cuts == Set(2...length))
    #expect(objective.rowLength(reading: length) == length)
  }

  /// The lengths that the reference computes for 512 tokens and a density of 0.15: 568 read as 512, 114 written.
  @Test func rowsAreAsLongAsTheModelReads() {
    let objective = SpanCorruption(sentinels: (0..<100).map { Int32($0) }, end: 1)
    #expect(objective.rowLength(reading: 512) == 568)
    #expect(objective.counts(568).noise + objective.counts(568).spans + 1 == 114)
    #expect(NextToken(end: nil).rowLength(reading: 16) == 17)
  }

  private final class Stub: TaskModel {
    let parameters = ParameterStore(), maxLength = 64, answerLayout = AnswerLayout.within
    func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput { ModelOutput(loss: .zeros([])) }
  }

  private func learner(_ objective: any Objective) -> Learner {
    let data = Dataset(name: "one", labels: [], examples: [])
    let stream = TaskStream(name: "s", experiences: [Experience(name: "one", train: data, test: data)])
    return Learner(model: Stub(), stream: stream, device: .cpu, seed: 0, objective: objective) { _ in
      TokenizedExperience(train: [], validation: [], test: [])
    }
  }

  @Test func whatIsDrawnDependsOnTheStepAndTheExampleAlone() {
    let learner = learner(MaskedTokens(mask: 4, special: [], vocabularySize: 90))
    let rows = (0..<3).map { index -> TokenizedExample in
      TokenizedExample(
        id: "\(index)", tokens: (0..<40).map { Int32(5 + $0) }, firstLength: 40, target: -1, experience: 0)
    }
    let fixed = learner.posed(Batch(rows)).examples
    #expect(learner.posed(Batch(rows.reversed())).examples.reversed() == fixed)
    #expect(fixed[0].places != fixed[1].places)
    let drawn = learner.posed(Batch(rows), draw: Generator(seed: 9)).examples
    #expect(drawn != fixed && drawn == learner.posed(Batch(rows), draw: Generator(seed: 9)).examples)
  }

  @Test func labelsStandAtTheirPlaces() {
    let learner = learner(NextToken(end: nil))
    let batch = learner.deviceBatch(
      learner.posed(Batch([row([5, 6, 7, 8, 9], documents: [2, 3]), row([3, 4, 5])])))
    #expect(batch.tokens.scalars(Int64.self) == [5, 6, 7, 8, 3, 4, 0, 0])
    #expect(batch.labels?.scalars(Int64.self) == [6, -100, 8, 9, 4, 5, -100, -100])
    #expect(batch.labelPlaces?.scalars(Int64.self) == [0, 2, 3, 4, 5])
    #expect(batch.documents?.indices.scalars(Int64.self) == [0, 0, 1, 1, 0, 0, -1, -1])
    #expect(batch.documents?.positions.scalars(Int64.self) == [0, 1, 0, 1, 0, 1, 0, 0])
    #expect(batch.lengths == [4, 2])
  }
}
