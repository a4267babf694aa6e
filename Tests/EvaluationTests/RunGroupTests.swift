import Evaluation
import Testing

@Suite struct RunGroupTests {
  @Test func aMethodIsQuotedAtTheRateThatValidationChooses() throws {
    let groups = RunGroup.groups(of: [
      run("migu", rate: 1e-3, seed: 1, learned: 90, final: 88, validation: 50),
      run("migu", rate: 1e-4, seed: 1, learned: 80, final: 75, validation: 60),
      run("migu", rate: 1e-4, seed: 0, learned: 82, final: 77, validation: 64),
    ])
    let group = try #require(groups.first)
    #expect(groups.count == 1)
    #expect(group.learningRate == 1e-4 && group.choice == .validation)
    #expect(group.runs.map(\.seed) == [0, 1])
    #expect(group.summary(.learningAccuracy)?.mean == 81)
  }

  @Test func aSeedCountsOnce() throws {
    var copy = run("migu", seed: 1, learned: 80, final: 70)
    copy.id = "copy"
    let runs = [run("migu", seed: 0, learned: 90, final: 80), run("migu", seed: 1, learned: 80, final: 70), copy]
    let group = try #require(RunGroup.groups(of: runs).first)
    #expect(group.runs.map(\.seed) == [0, 1] && group.repeated.map(\.id) == ["copy"])
    #expect(group.summary(.learningAccuracy)?.n == 2)
  }

  @Test func withoutValidationTheTestSetChoosesAndTheGroupSaysSo() {
    let groups = RunGroup.groups(of: [
      run("migu", rate: 1e-3, learned: 90, final: 88), run("migu", rate: 1e-4, learned: 80, final: 75),
    ])
    #expect(groups.first?.learningRate == 1e-3)
    #expect(groups.first?.choice == .test)
  }

  @Test func oneRateNeedsNoChoice() {
    #expect(RunGroup.groups(of: [run("migu", learned: 80, final: 75)]).first?.choice == .single)
  }

  @Test func modelsThatDifferAreNotMixed() {
    var large = run("migu", learned: 90, final: 80)
    large.model = "t5-large"
    var small = run("migu", learned: 80, final: 70)
    small.model = "t5-small"
    #expect(RunGroup.groups(of: [large, small]).map(\.id) == ["migu · t5-large", "migu · t5-small"])
  }

  @Test func anotherOrderOfExperiencesIsAnotherGroup() {
    var other = run("migu", seed: 1, learned: 90, final: 80)
    other.matrix = AccuracyMatrix(experiences: ["1", "0"], rows: [[90, nil], [80, 90]])
    let groups = RunGroup.groups(of: [run("migu", learned: 90, final: 80), other])
    #expect(groups.map(\.id) == ["migu", "migu · order 2"])
  }

  @Test func otherSettingsAreAnotherGroup() {
    var runs = (0..<3).map { run("migu", seed: $0, learned: 80, final: 70) } + [run("er", learned: 80, final: 70)]
    (runs[0].settings, runs[1].settings, runs[2].settings) = (
      ["batchSize 8"], ["batchSize 8", "epochs 10"], ["batchSize 8"]
    )
    let groups = RunGroup.groups(of: runs)
    #expect(groups.map(\.id) == ["migu", "migu · epochs 10", "er"])
    #expect(groups.map { $0.runs.map(\.seed) } == [[0, 2], [1], [0]])
  }

  @Test func onlyFinishedRunsOfRatesWithAllSeedsAreQuoted() throws {
    // The last task of a run costs it accuracy; one that stopped before it must not win.
    var stopped = run("migu", rate: 1e-3, seed: 1, learned: 99, final: 99)
    stopped.matrix = AccuracyMatrix(experiences: ["0", "1"], rows: [[99, nil]])
    let group = try #require(
      RunGroup.groups(of: [
        run("migu", rate: 1e-4, seed: 0, learned: 80, final: 70),
        run("migu", rate: 1e-4, seed: 1, learned: 80, final: 72),
        run("migu", rate: 1e-3, seed: 0, learned: 90, final: 88), stopped,
      ]).first)
    #expect(group.learningRate == 1e-4 && group.choice == .test)
    #expect(group.runs.map(\.seed) == [0, 1] && group.allRuns.count == 4)
  }

  @Test func comparisonPairsTheSeedsBothHave() throws {
    let groups = RunGroup.groups(of: [
      run("a", seed: 0, learned: 80, final: 70), run("a", seed: 1, learned: 80, final: 72),
      run("b", seed: 1, learned: 80, final: 76), run("b", seed: 2, learned: 80, final: 10),
    ])
    let comparison = try #require(groups[1].comparison(with: groups[0], on: .finalAccuracy))
    #expect(comparison.difference.n == 1)
    #expect(comparison.difference.mean == 2)
  }
}

@Suite struct FrontierTests {
  @Test func dominatedRatesAreNotOptimal() throws {
    let frontier = Frontier(
      RunGroup.groups(of: [
        run("a", rate: 1e-4, learned: 80, final: 78), run("a", rate: 1e-3, learned: 90, final: 70),
        run("b", rate: 1e-4, learned: 80, final: 70), run("b", rate: 1e-3, learned: 92, final: 71),
      ]))
    #expect(frontier.isSweep)
    #expect(frontier.curves.map(\.id) == ["a", "b"])
    #expect(frontier.curves.map { $0.points.map(\.learningRate) } == [[1e-4, 1e-3], [1e-4, 1e-3]])
    #expect(frontier.curves.map { $0.points.map(\.isOptimal) } == [[true, true], [false, true]])
    #expect(frontier.curves[1].points[1].isChosen)
  }

  @Test func pointsAreMeansOverSeeds() throws {
    let frontier = Frontier(
      RunGroup.groups(of: [
        run("a", rate: 1e-4, seed: 0, learned: 80, final: 78), run("a", rate: 1e-4, seed: 1, learned: 84, final: 80),
      ]))
    let point = try #require(frontier.curves.first?.points.first)
    #expect(!frontier.isSweep)
    #expect(point.learningAccuracy.mean == 82 && point.learningAccuracy.n == 2)
    #expect(point.forgetting.mean == 3)
  }

  @Test func runsWithoutARateHaveNoFrontier() {
    #expect(Frontier(RunGroup.groups(of: [run("a", learned: 80, final: 70)])).curves.isEmpty)
  }
}
