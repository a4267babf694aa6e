/// The setting of continual learning that a stream poses.
///
/// Source: Wang et al. 2024, table 1 (arXiv 2302.00487).
public enum Scenario: String, Sendable, Hashable, Codable, CaseIterable {
  /// IIL: one task, its data in parts.
  case instanceIncremental = "instance-incremental"
  /// DIL: other inputs, the same classes.
  case domainIncremental = "domain-incremental"
  /// TIL: other classes, and the task is known at test time.
  case taskIncremental = "task-incremental"
  /// CIL: other classes, and the task is not known at test time.
  case classIncremental = "class-incremental"
  /// TFCL: nobody says when a task ends.
  case taskFree = "task-free"
  /// OCL: small batches, each seen once.
  case online
  /// BBCL: some classes come back in later tasks, and the task is not known at test time.
  case blurred
  /// CPT: unlabeled corpora, then a downstream task.
  case continualPretraining = "continual-pretraining"
}

extension StreamDeclaration {
  /// The scenario that follows from the declaration; it is never written by hand.
  ///
  /// What arrives decides first, then whether boundaries are seen, then how the classes relate. Where classes overlap
  /// and the task is known at test time, the task picks the classes, so the stream is task-incremental; the survey
  /// does not name this case.
  public var scenario: Scenario {
    if arrival == .corpora { return .continualPretraining }
    // A task label in training gives the boundaries away.
    let knowsBoundaries = boundariesVisible || hasTaskLabelAtTrain
    if passes == 1 && (arrival == .smallBatches || !knowsBoundaries) { return .online }
    if !knowsBoundaries { return .taskFree }
    switch labelRelation {
    case .same: return arrival == .parts ? .instanceIncremental : .domainIncremental
    case .disjoint: return hasTaskLabelAtTest ? .taskIncremental : .classIncremental
    case .overlapping: return hasTaskLabelAtTest ? .taskIncremental : .blurred
    }
  }
}
