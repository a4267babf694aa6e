/// The examples of one split, with the names that their labels index.
public struct Dataset: Sendable, Hashable {
  /// Name of the dataset, which also seeds its draws: `task/split`.
  public let name: String
  /// Label names, in the order of their indices; none where answers are free texts, and for documents.
  public let labels: [String]
  /// The examples, in the order of the file.
  public let examples: [Example]
  /// How many examples the reader left out because their label means "no gold label".
  public let dropped: Int

  /// - Precondition: every label is an index into `labels`; without labels, −1.
  public init(name: String, labels: [String], examples: [Example], dropped: Int = 0) {
    for example in examples where !labels.indices.contains(example.label) {
      if labels.isEmpty, example.label == -1 { continue }
      preconditionFailure("Dataset(\(name)): example \(example.id) has label \(example.label) of \(labels.count)")
    }
    self.name = name
    self.labels = labels
    self.examples = examples
    self.dropped = dropped
  }

  /// How many examples there are.
  public var count: Int { examples.count }
  /// Whether there are no examples.
  public var isEmpty: Bool { examples.isEmpty }

  /// Whether the examples are documents: texts with neither label nor answer.
  public var holdsDocuments: Bool { labels.isEmpty && examples.allSatisfy(\.answers.isEmpty) }

  /// Whether there are conversations among the examples.
  public var holdsConversations: Bool { labels.isEmpty && examples.contains { !$0.messages.isEmpty } }

  /// How many examples each label has, in the order of `labels`.
  public var labelCounts: [Int] {
    labels.isEmpty ? [] : examples.reduce(into: [Int](repeating: 0, count: labels.count)) { $0[$1.label] += 1 }
  }

  /// The label's name, or the first accepted answer; empty of a document.
  public func answer(of example: Example) -> String {
    labels.isEmpty ? example.answers.first ?? "" : labels[example.label]
  }

  /// Positions of the examples of each label, in the order of `labels`; all in one group where there are none.
  var positionsByLabel: [[Int]] {
    labels.isEmpty
      ? [Array(examples.indices)]
      : examples.indices.reduce(into: [[Int]](repeating: [], count: labels.count)) { groups, position in
        groups[examples[position].label].append(position)
      }
  }

  /// The examples at these positions, in the order of the dataset.
  func selecting(_ positions: some Sequence<Int>) -> Dataset {
    Dataset(name: name, labels: labels, examples: positions.sorted().map { examples[$0] }, dropped: dropped)
  }
}
