/// Counts of (gold, predicted) pairs over a closed set of classes.
///
/// Macro-F1 leaves out classes that have neither gold nor predicted items, as scikit-learn's
/// `f1_score(average="macro")` does when `labels` is not given; with an explicit `labels` list scikit-learn counts
/// such a class as 0. An answer that names no class is an error of its gold class and of no other, where
/// scikit-learn without `labels` would take it for one more class.
public struct ConfusionCounts: Codable, Sendable, Equatable {
  /// Number of classes.
  public let classes: Int
  private var gold: [Int]
  private var predicted: [Int]
  private var correct: [Int]

  /// No items yet, over `classes` classes.
  public init(classes: Int) {
    precondition(classes > 0, "ConfusionCounts needs at least one class, got \(classes)")
    self.classes = classes
    gold = Array(repeating: 0, count: classes)
    predicted = gold
    correct = gold
  }

  /// Counts one item; a nil prediction is an answer that names no class.
  public mutating func add(gold label: Int, predicted answer: Int?) {
    let isKnown = (0..<classes).contains(label) && (answer.map((0..<classes).contains) ?? true)
    precondition(
      isKnown, "ConfusionCounts.add(gold: \(label), predicted: \(answer.map(String.init) ?? "nil")), \(classes) classes"
    )
    gold[label] += 1
    if let answer { predicted[answer] += 1 }
    if label == answer { correct[label] += 1 }
  }

  /// Number of items.
  public var count: Int { gold.reduce(0, +) }

  /// Percent of items predicted right, nil without items.
  public var accuracy: Double? { count == 0 ? nil : 100 * Double(correct.reduce(0, +)) / Double(count) }

  /// Mean over classes of F1 = 2·correct / (gold + predicted), in percent, nil without items.
  public var macroF1: Double? {
    let present = (0..<classes).filter { gold[$0] + predicted[$0] > 0 }
    let scores: [Double] = present.map { 200 * Double(correct[$0]) / Double(gold[$0] + predicted[$0]) }
    return scores.mean
  }
}
