/// One step of a stream: the data of one task, learned together.
public struct Experience: Sendable, Hashable {
  /// Position in the stream.
  public internal(set) var index: Int
  /// Identity of the task; it stays with the experience when the stream is put in another order.
  public internal(set) var taskLabel: Int
  /// Name of the task, unique in its stream.
  public private(set) var name: String
  /// The id of each label of this experience among the classes of the whole stream, in the order of `labels`.
  public internal(set) var classes: [Int]
  /// How examples become the texts that a language model reads.
  public internal(set) var prompt = Prompt.plain
  /// How answers are measured; nil for what the recipe says.
  public internal(set) var measure: AnswerMeasure?
  /// The examples to learn from.
  public let train: Dataset
  /// May be empty.
  public let validation: Dataset
  /// The examples to measure on.
  public let test: Dataset

  /// Whether there is nothing to answer, only texts to pretrain on.
  public var holdsDocuments: Bool { train.holdsDocuments }

  /// Whether there are conversations to learn or to measure on.
  public var holdsConversations: Bool { train.holdsConversations || test.holdsConversations }

  /// Names of the labels, the same in all three splits.
  public var labels: [String] { train.labels }

  /// The same experience with another prompt.
  public func prompted(by prompt: Prompt) -> Experience {
    var copy = self
    copy.prompt = prompt
    return copy
  }

  /// The same experience under another name.
  public func renamed(_ name: String) -> Experience {
    var copy = self
    copy.name = name
    return copy
  }

  /// The same experience, measured in another way.
  public func measured(by measure: AnswerMeasure?) -> Experience {
    var copy = self
    copy.measure = measure
    return copy
  }

  /// Index, task label and classes are those of an experience alone; a `TaskStream` numbers them anew.
  /// - Precondition: the three splits have the same label names.
  public init(name: String, train: Dataset, validation: Dataset? = nil, test: Dataset) {
    let validation = validation ?? Dataset(name: "\(name)/validation", labels: train.labels, examples: [])
    precondition(
      train.labels == test.labels && train.labels == validation.labels,
      "Experience(\(name)): labels \(train.labels) in train, \(validation.labels) in validation, \(test.labels) in test"
    )
    self.index = 0
    self.taskLabel = 0
    self.name = name
    self.classes = Array(train.labels.indices)
    self.train = train
    self.validation = validation
    self.test = test
  }

  /// The same experience with these examples to measure on, and none to learn from.
  public func measured(on test: Dataset) -> Experience {
    let none = Dataset(name: train.name, labels: labels, examples: [])
    return replacing(train: none, validation: none, test: test)
  }

  /// The same experience with other splits.
  func replacing(train: Dataset, validation: Dataset, test: Dataset) -> Experience {
    var copy = Experience(name: name, train: train, validation: validation, test: test)
    copy.index = index
    copy.taskLabel = taskLabel
    copy.classes = classes
    copy.prompt = prompt
    copy.measure = measure
    return copy
  }
}
