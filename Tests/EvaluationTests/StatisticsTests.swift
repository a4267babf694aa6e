import Testing

@testable import Evaluation

@Suite struct StatisticsTests {
  private let first = [71.2, 69.8, 73.1, 70.4, 72.0]
  private let second = [73.9, 70.1, 75.2, 72.8, 72.4]

  // [stats.t.cdf(t, df) for t, df in ...], 2 * stats.t.sf(abs(t), df)   (scipy 1.17.1)
  @Test(arguments: [
    (0.5, 1.0, 0.6475836176504333, 0.7048327646991335), (2, 2, 0.908248290463863, 0.18350341907227397),
    (-1.3, 4, 0.13172579823561206, 0.2634515964712241), (12.706, 1, 0.9749995988209335, 0.05000080235813319),
    (3, 9, 0.9925218180447929, 0.014956363910414222), (40, 3, 0.9999828096596054, 3.4380680789158506e-05),
    (2.5, 200, 0.9933884136791497, 0.013223172641700783),
  ])
  func studentTEqualsScipy(t: Double, degrees: Double, cumulative: Double, twoSided: Double) {
    #expect(abs(StudentT.cumulative(t, degrees: degrees) - cumulative) < 1e-13)
    #expect(abs(StudentT.twoSided(t, degrees: degrees) / twoSided - 1) < 1e-11)
  }

  // stats.t.ppf(0.975, df)
  @Test(arguments: [
    (1.0, 12.706204736174694), (2, 4.302652729749462), (4, 2.7764451051977934), (9, 2.262157162798205),
    (30, 2.0422724563012378),
  ])
  func quantileEqualsScipy(degrees: Double, expected: Double) {
    #expect(abs(StudentT.quantile(confidence: 0.95, degrees: degrees) / expected - 1) < 1e-10)
  }

  @Test func summaryEqualsScipy() throws {
    // np.mean(x), np.std(x, ddof=1), stats.t.interval(0.95, 4, np.mean(x), stats.sem(x))
    let summary = try #require(Summary(first))
    #expect(summary.n == 5)
    #expect(abs(summary.mean - 71.3) < 1e-12)
    #expect(summary.standardDeviation.isNear(1.3038404810405275))
    #expect(summary.interval.map(\.lowerBound).isNear(69.68106821529129))
    #expect(summary.interval.map(\.upperBound).isNear(72.9189317847087))
  }

  @Test func oneValueHasNoSpread() throws {
    let summary = try #require(Summary([4]))
    #expect(summary.standardDeviation == nil && summary.interval == nil)
    #expect(Summary([]) == nil)
  }

  @Test func pairedComparisonEqualsScipy() throws {
    // stats.ttest_rel(y, x).pvalue
    // stats.permutation_test((y - x,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    let comparison = try #require(PairedComparison(first, second))
    #expect(abs(comparison.difference.mean - 1.58) < 1e-12)
    #expect(comparison.tTest.isNear(0.03656275030395351))
    #expect(comparison.signFlip == 0.0625)
  }

  @Test func signsThatDifferEqualScipy() throws {
    // d = [1.5, -0.5, 2.0, 0.7, -0.2, 1.1, 0.4]; stats.ttest_1samp(d, 0), permutation_test as above
    let d = [1.5, -0.5, 2.0, 0.7, -0.2, 1.1, 0.4]
    let comparison = try #require(PairedComparison(d.map { _ in 0 }, d))
    #expect(comparison.tTest.isNear(0.07974393848990426))
    #expect(comparison.signFlip == 0.109375)
  }

  @Test func equalMethodsAreNotSignificant() throws {
    let comparison = try #require(PairedComparison([70, 71], [70, 71]))
    #expect(comparison.tTest == nil)
    #expect(comparison.signFlip == 1)
  }

  @Test func equalDifferencesHaveNoSpreadToTestAgainst() throws {
    let comparison = try #require(PairedComparison([70, 71.1, 70.7], [70.83, 71.93, 71.53]))
    #expect(comparison.tTest == nil && comparison.signFlip == 0.25)
  }

  @Test func oneSeedSaysNothing() throws {
    let comparison = try #require(PairedComparison([70], [75]))
    #expect(comparison.tTest == nil && comparison.signFlip == nil)
    #expect(comparison.difference.mean == 5)
    #expect(PairedComparison([], []) == nil)
  }
}
