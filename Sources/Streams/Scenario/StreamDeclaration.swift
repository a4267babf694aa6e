/// How the classes of a stream's experiences relate.
public enum LabelRelation: String, Sendable, Hashable, Codable {
  /// Every experience has the same classes.
  case same
  /// No class belongs to two experiences.
  case disjoint
  /// Some classes belong to several experiences, not all to all.
  case overlapping

  /// The relation of these sets of class ids, one set an experience; a single experience counts as the same.
  public init(_ classes: [Set<Int>]) {
    let union = classes.reduce(into: Set<Int>()) { $0.formUnion($1) }
    if classes.allSatisfy({ $0 == union }) {
      self = .same
    } else {
      self = union.count == classes.reduce(0) { $0 + $1.count } ? .disjoint : .overlapping
    }
  }
}

/// How the data of a stream arrive.
public enum Arrival: String, Sendable, Hashable, Codable {
  /// All of a task's examples at once.
  case tasks
  /// One task's examples in several parts.
  case parts
  /// One example or a few at a time.
  case smallBatches
  /// Unlabeled corpora, with a downstream task after them.
  case corpora
}

/// What a learner is told, and how data reach it: the facts from which the scenario follows.
public struct StreamDeclaration: Sendable, Hashable, Codable {
  /// Whether training examples say which task they belong to.
  public var hasTaskLabelAtTrain: Bool
  /// Whether test examples say which task they belong to.
  public var hasTaskLabelAtTest: Bool
  /// Whether the learner is told that a task ends and another begins.
  public var boundariesVisible: Bool
  /// Derived from the experiences when a `TaskStream` is made; what stands here before is replaced.
  public var labelRelation: LabelRelation
  /// How often each example may be seen in training; `nil` for as often as the learner likes.
  public var passes: Int?
  /// How the data come in.
  public var arrival: Arrival

  /// The usual case unless told otherwise: tasks come whole, with labels and boundaries, for any number of passes.
  public init(
    hasTaskLabelAtTrain: Bool = true, hasTaskLabelAtTest: Bool = true, boundariesVisible: Bool = true,
    labelRelation: LabelRelation = .disjoint, passes: Int? = nil, arrival: Arrival = .tasks
  ) {
    precondition(passes ?? 1 > 0, "StreamDeclaration(passes: \(passes ?? 0)): passes is not positive")
    self.hasTaskLabelAtTrain = hasTaskLabelAtTrain
    self.hasTaskLabelAtTest = hasTaskLabelAtTest
    self.boundariesVisible = boundariesVisible
    self.labelRelation = labelRelation
    self.passes = passes
    self.arrival = arrival
  }
}
