/// Stability against plasticity: what each method learns and forgets at each learning rate.
public struct Frontier: Sendable {
  /// One learning rate of a method, summed up over seeds.
  public struct Point: Sendable, Equatable {
    /// Peak learning rate.
    public let learningRate: Double
    /// Mean score right after training on each experience, in percent.
    public let learningAccuracy: Summary
    /// Forgetting after Chaudhry et al., in points.
    public let forgetting: Summary
    /// Whether no other point of any method learns at least as much and forgets at most as much.
    public internal(set) var isOptimal = false
    /// Whether this is the rate the group is quoted at.
    public let isChosen: Bool
  }

  /// A method's points, by rising learning rate.
  public struct Curve: Sendable, Identifiable {
    /// Label of the group.
    public let id: String
    /// The points that have both coordinates.
    public internal(set) var points: [Point]
  }

  /// One curve for each group that has a point.
  public let curves: [Curve]

  /// The frontier of some groups of runs.
  public init(_ groups: [RunGroup]) {
    var curves = groups.map { group in
      let byRate = Dictionary(grouping: group.allRuns.filter { $0.learningRate != nil }) { $0.learningRate ?? 0 }
      return Curve(
        id: group.id,
        points: byRate.sorted { $0.key < $1.key }.compactMap { rate, runs in
          Self.point(rate, runs, isChosen: rate == group.learningRate)
        })
    }.filter { !$0.points.isEmpty }
    let all = curves.flatMap(\.points)
    for curve in curves.indices {
      for index in curves[curve].points.indices {
        let point = curves[curve].points[index]
        curves[curve].points[index].isOptimal = !all.contains { Self.dominates($0, point) }
      }
    }
    self.curves = curves
  }

  /// Whether some method was run at more than one learning rate.
  public var isSweep: Bool { curves.contains { $0.points.count > 1 } }

  private static func point(_ rate: Double, _ runs: [RunRecord], isChosen: Bool) -> Point? {
    guard let learned = Summary(runs.compactMap { $0.metrics[Metric.learningAccuracy.id] }),
      let forgotten = Summary(runs.compactMap { $0.metrics[Metric.forgetting.id] })
    else { return nil }
    return Point(learningRate: rate, learningAccuracy: learned, forgetting: forgotten, isChosen: isChosen)
  }

  private static func dominates(_ a: Point, _ b: Point) -> Bool {
    let (learnsA, learnsB) = (a.learningAccuracy.mean, b.learningAccuracy.mean)
    let (losesA, losesB) = (a.forgetting.mean, b.forgetting.mean)
    return learnsA >= learnsB && losesA <= losesB && (learnsA > learnsB || losesA < losesB)
  }
}
