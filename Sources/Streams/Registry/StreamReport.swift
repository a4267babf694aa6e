/// What there is to know about a stream before it is trained on.
public struct StreamReport: Sendable, Hashable, Codable {
  /// What one split holds.
  public struct SplitReport: Sendable, Hashable, Codable {
    /// How many examples there are.
    public let count: Int
    /// Examples of each label, in the order of the experience's labels.
    public let labelCounts: [Int]
    /// Examples left out because they have no gold label.
    public let dropped: Int
    /// Examples whose text equals that of an earlier one in the split, but for case and punctuation.
    public let repeated: Int

    /// Size of the smallest class over that of the largest: 1 is balanced, 0 means that a class is absent.
    public var balance: Double {
      guard let most = labelCounts.max(), let least = labelCounts.min(), most > 0 else { return 0 }
      return Double(least) / Double(most)
    }
  }

  /// What one experience holds.
  public struct ExperienceReport: Sendable, Hashable, Codable {
    /// Name of the task.
    public let name: String
    /// Label names, in the order of their indices.
    public let labels: [String]
    /// Facts about the training split.
    public let train: SplitReport
    /// Facts about the validation split, which may be empty.
    public let validation: SplitReport
    /// Facts about the test split.
    public let test: SplitReport
    /// Ids of test examples whose text stands in train or validation too, but for case and punctuation.
    public let overlap: [String]
  }

  /// Name of the stream.
  public let name: String
  /// The scenario that the stream poses.
  public let scenario: Scenario
  /// How many classes the whole stream has.
  public let classCount: Int
  /// One report an experience, in the order of the stream.
  public let experiences: [ExperienceReport]
  /// Whether all tasks have the same label names and yet are said to have classes of their own, which is often an
  /// oversight: `"sharedLabels": true` makes them one set of classes.
  public let mayShareLabels: Bool
  /// Labels of one set of classes that differ only in case or blanks.
  public let similarLabels: [[String]]

  /// Examines a whole stream.
  public init(_ stream: TaskStream) {
    name = stream.name
    scenario = stream.scenario
    classCount = stream.classNames.count
    experiences = stream.experiences.map(ExperienceReport.init)
    mayShareLabels =
      !stream.sharesLabels && stream.count > 1 && !stream.classNames.isEmpty
      && Set(stream.experiences.map { Set($0.labels) }).count == 1
    let sets = stream.sharesLabels ? [stream.classNames] : stream.experiences.map(\.labels)
    similarLabels = sets.reduce(into: []) { found, labels in
      found += SimilarLabels.groups(labels).filter { !found.contains($0) }
    }
  }
}

extension StreamReport.ExperienceReport {
  init(_ experience: Experience) {
    let train = experience.train.examples.map(\.overlapKey)
    let validation = experience.validation.examples.map(\.overlapKey)
    let test = experience.test.examples.map(\.overlapKey)
    let seen = Set(train).union(validation)
    name = experience.name
    labels = experience.labels
    self.train = .init(experience.train, keys: train)
    self.validation = .init(experience.validation, keys: validation)
    self.test = .init(experience.test, keys: test)
    overlap = zip(experience.test.examples, test).filter { seen.contains($1) }.map(\.0.id)
  }
}

extension StreamReport.SplitReport {
  init(_ dataset: Dataset, keys: [String]) {
    count = dataset.count
    labelCounts = dataset.labelCounts
    dropped = dataset.dropped
    repeated = keys.count - Set(keys).count
  }
}
