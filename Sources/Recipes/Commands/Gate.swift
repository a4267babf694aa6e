import Evaluation
public import Foundation

/// Bounds that a run must keep before its model may be used.
public struct Gate: Sendable {
  /// Most forgetting (Chaudhry), in points.
  public var maxForgetting: Double?
  /// Least final average accuracy, in percent.
  public var minAccuracy: Double?
  /// Most points that any single task may lose from when it was learned to the end.
  public var maxDrop: Double?

  public init(maxForgetting: Double? = nil, minAccuracy: Double? = nil, maxDrop: Double? = nil) {
    (self.maxForgetting, self.minAccuracy, self.maxDrop) = (maxForgetting, minAccuracy, maxDrop)
  }

  public struct Verdict: Encodable, Sendable {
    public struct Bound: Encodable, Sendable {
      public let quantity: String
      /// Nil where it is not defined: such a bound is not kept.
      public let value: Double?
      public let limit: Double
      /// Points beyond the limit; 0 or less where it is kept.
      public let excess: Double?
      public let isKept: Bool
    }
    public let run: String
    public let isPassed: Bool
    public let bounds: [Bound]
  }

  /// Judges a finished run.
  public func judge(_ folder: URL) throws -> Verdict {
    let directory = RunDirectory(folder)
    guard directory.exists else { throw RunError.notARun(folder) }
    guard directory.isComplete else { throw ResultError.unfinished(folder.relativePath) }
    return judge(try directory.record().matrix, run: folder.relativePath)
  }

  func judge(_ matrix: AccuracyMatrix, run: String) -> Verdict {
    var bounds: [Verdict.Bound] = []
    if let maxForgetting {
      // With one experience nothing can be forgotten.
      let value = matrix.count == 1 ? 0 : Metric.forgetting.compute(matrix)
      bounds.append(Self.bound("forgetting", value, limit: maxForgetting, excess: value.map { $0 - maxForgetting }))
    }
    if let minAccuracy {
      let value = Metric.finalAccuracy.compute(matrix)
      bounds.append(
        Self.bound("final average accuracy", value, limit: minAccuracy, excess: value.map { minAccuracy - $0 }))
    }
    if let maxDrop {
      for (index, name) in matrix.experiences.enumerated().prefix(max(0, matrix.count - 1)) {
        let last = matrix[after: matrix.count - 1, on: index]
        let drop = matrix[after: index, on: index].flatMap { learned in last.map { learned - $0 } }
        bounds.append(Self.bound("drop on \(name)", drop, limit: maxDrop, excess: drop.map { $0 - maxDrop }))
      }
    }
    return Verdict(run: run, isPassed: bounds.allSatisfy(\.isKept), bounds: bounds)
  }

  private static func bound(_ quantity: String, _ value: Double?, limit: Double, excess: Double?) -> Verdict.Bound {
    // 70.1 − 68.1 is a little more than 2 in binary.
    let isKept = excess.map { $0 <= 1e-9 } ?? false
    return Verdict.Bound(quantity: quantity, value: value, limit: limit, excess: excess, isKept: isKept)
  }
}

extension Gate.Verdict {
  /// One line a bound, then the verdict.
  public var text: String {
    let lines = bounds.map { bound in
      guard let value = bound.value, let excess = bound.excess else {
        return "FAIL  \(bound.quantity) not defined: the run did not measure every score that it is made of "
          + "(jay report shows which)"
      }
      let facts = String(format: "%.2f, limit %.2f", value, bound.limit)
      return bound.isKept
        ? "pass  \(bound.quantity) \(facts)"
        : "FAIL  \(bound.quantity) \(facts): " + String(format: "%.2f points too far", excess)
    }
    return (lines + [isPassed ? "passed" : "failed"]).joined(separator: "\n")
  }
}
