/// An ordered sequence of experiences, and what a learner is told about it.
public struct TaskStream: Sendable, Hashable {
  /// Name of the stream, as a run record shows it.
  public let name: String
  /// With the label relation that the experiences have.
  public let declaration: StreamDeclaration
  /// Whether labels of the same name are the same class (one shared head), or every experience has its own.
  public let sharesLabels: Bool
  /// The experiences in the order in which they are learned.
  public let experiences: [Experience]
  /// Names of all classes by class id: the label name where labels are shared, else `experience/label`.
  public let classNames: [String]

  /// Numbers the experiences by position, as tasks and as steps.
  /// - Precondition: at least one experience, and no two of one name.
  public init(
    name: String, declaration: StreamDeclaration = StreamDeclaration(), sharesLabels: Bool = false,
    experiences: [Experience]
  ) {
    let numbered = experiences.enumerated().map { position, experience in
      var experience = experience
      experience.taskLabel = position
      return experience
    }
    self.init(name: name, declaration: declaration, sharesLabels: sharesLabels, labeled: numbered)
  }

  /// Keeps the task labels; positions, classes and the label relation are derived.
  private init(name: String, declaration: StreamDeclaration, sharesLabels: Bool, labeled: [Experience]) {
    precondition(!labeled.isEmpty, "TaskStream(\(name)): no experiences")
    precondition(
      Set(labeled.map(\.name)).count == labeled.count, "TaskStream(\(name)): names repeat in \(labeled.map(\.name))")
    var names: [String] = []
    var ids: [String: Int] = [:]
    self.experiences = labeled.enumerated().map { position, experience in
      var experience = experience
      experience.index = position
      experience.classes = experience.labels.map { label in
        let name = sharesLabels ? label : "\(experience.name)/\(label)"
        if let id = ids[name] { return id }
        ids[name] = names.count
        names.append(name)
        return names.count - 1
      }
      return experience
    }
    self.name = name
    self.sharesLabels = sharesLabels
    self.classNames = names
    var declaration = declaration
    declaration.labelRelation = LabelRelation(experiences.map { Set($0.classes) })
    self.declaration = declaration
  }

  /// The scenario that the declaration implies.
  public var scenario: Scenario { declaration.scenario }
  /// How many experiences there are.
  public var count: Int { experiences.count }

  /// The experiences in another order: `order[i]` is the present position of the experience that becomes the i-th.
  public func permuted(order: [Int]) throws(StreamError) -> TaskStream {
    guard order.sorted() == Array(experiences.indices) else {
      throw .notAPermutation(order, count: count, stream: name)
    }
    return with(order.map { experiences[$0] })
  }

  /// The named experiences, in the order of the names.
  public func subset(names: [String]) throws(StreamError) -> TaskStream {
    guard !names.isEmpty else { throw .emptySubset(stream: name) }
    var chosen: [Experience] = []
    for wanted in names {
      guard let found = experiences.first(where: { $0.name == wanted }) else {
        throw .unknownExperience(wanted, known: experiences.map(\.name), stream: name)
      }
      guard !chosen.contains(found) else { throw .duplicateExperience(wanted, stream: name) }
      chosen.append(found)
    }
    return with(chosen)
  }

  /// The experiences in an order drawn by `seed`.
  public func reordered(seed: UInt64) -> TaskStream {
    var generator = SeededGenerator(seed: seed)
    return with(generator.shuffled(experiences))
  }

  /// The stream with one more experience behind it, a new task.
  public func appending(_ experience: Experience) throws(StreamError) -> TaskStream {
    guard !experiences.contains(where: { $0.name == experience.name }) else {
      throw .duplicateExperience(experience.name, stream: name)
    }
    var appended = experience
    appended.taskLabel = (experiences.map(\.taskLabel).max() ?? -1) + 1
    return with(experiences + [appended])
  }

  /// The same stream under another name.
  public func renamed(_ name: String) -> TaskStream {
    TaskStream(name: name, declaration: declaration, sharesLabels: sharesLabels, labeled: experiences)
  }

  func with(_ experiences: [Experience]) -> TaskStream {
    TaskStream(name: name, declaration: declaration, sharesLabels: sharesLabels, labeled: experiences)
  }
}
