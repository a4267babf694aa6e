public import Torch

/// The classification heads: blocks of classes over one representation.
///
/// Each experience that brings new classes adds a block. A task-incremental stream reads one block a row, a
/// class-incremental stream reads all of them side by side (one growing head), a domain-incremental stream
/// only ever has one. Old blocks keep their names and shapes, so penalties and masks on them stay valid.
public final class HeadBank {
  public private(set) var blocks: [HeadBlock] = []
  /// For columns in use, the place of each global class among them, int64.
  private var places: [[Int]: Tensor] = [:]
  /// For columns in use and the candidates among them, what `mask` gives.
  private var masks: [[[Int]]: Tensor] = [:]
  private let width: Int
  private let dropout: Double
  private let scope: Scope

  /// A bank without blocks. Below `scope`, parameters are named `heads.<block>.weight`, `heads.<block>.bias`.
  public init(width: Int, dropout: Double, in scope: Scope) {
    self.width = width
    self.dropout = dropout
    self.scope = scope / "heads"
  }

  /// The classes that have a column.
  public var classes: [Int] { blocks.flatMap(\.classes) }

  /// Adds a block for those of `classes` that have no column yet; does nothing when all have one.
  public func add(_ classes: [Int]) {
    let known = Set(self.classes)
    let new = classes.filter { !known.contains($0) }
    guard !new.isEmpty else { return }
    let linear = Linear(width, new.count, initializer: .normal(deviation: 0.02), in: scope / blocks.count)
    blocks.append(HeadBlock(classes: new, linear: linear))
    (places, masks) = ([:], [:])
  }

  /// `features [rows, width]` → float32 logits `[rows, columns]` over the candidates of the batch, −inf outside a row's
  /// own, and their mean cross-entropy.
  public func callAsFunction(
    _ features: Tensor, _ batch: DeviceBatch, _ mode: Mode
  ) -> (scores: ClassScores, loss: Tensor) {
    let used = Set(batch.candidates).sorted()
    let wanted = used.map { Set(batch.candidateSets[$0]) }
    let active = blocks.filter { block in wanted.contains { !$0.isDisjoint(with: block.classes) } }
    precondition(!active.isEmpty, "no head has the classes of this batch")
    let input = mode.dropout(features, dropout)
    let parts = active.map { $0.linear(input, mode) }
    var logits = (parts.count == 1 ? parts[0] : .concatenated(parts, 1)).to(.float32)
    let columns = active.flatMap(\.classes)
    if let mask = mask(columns, used, wanted, batch) { logits = logits + mask }
    let loss = logits.crossEntropy(places(of: batch.targets, in: columns))
    return (ClassScores(values: logits, columns: columns), loss)
  }

  /// `features [rows, width]` → float32 logits `[rows, classes.count]` of any classes that have a column, in the order
  /// given, without dropout: what distillation and replayed logits compare.
  public func logits(of classes: [Int], features: Tensor) -> Tensor {
    let wanted = Set(classes)
    let active = blocks.filter { !wanted.isDisjoint(with: $0.classes) }
    let columns = active.flatMap(\.classes)
    precondition(wanted.isSubset(of: columns), "logits(of: \(classes)): only \(self.classes) have a column")
    let parts = active.map { $0.linear(features, .evaluation) }
    let logits = (parts.count == 1 ? parts[0] : .concatenated(parts, 1)).to(.float32)
    if columns == classes { return logits }
    let position = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, Int64($0)) })
    return logits.gathered(1, Tensor(classes.compactMap { position[$0] }, device: features.device))
  }

  /// int64 `[rows]`: the columns of global classes, −100 for those that have none.
  private func places(of targets: Tensor, in columns: [Int]) -> Tensor {
    let count = (columns.max() ?? 0) + 1
    let table = kept(&places, columns) {
      // The first place is that of no class, the last one that of all larger ones.
      var found = [Int64](repeating: -100, count: count + 2)
      for (column, label) in columns.enumerated() { found[label + 1] = Int64(column) }
      return Tensor(found, device: targets.device)
    }
    return table.gathered(0, (targets.clamped(-1...Double(count)) + 1).to(.int64))
  }

  /// `[rows or 1, columns]`: 0 for a candidate, −inf for the others; nil where every column is a candidate of every row.
  private func mask(_ columns: [Int], _ used: [Int], _ wanted: [Set<Int>], _ batch: DeviceBatch) -> Tensor? {
    if wanted.allSatisfy({ set in columns.allSatisfy(set.contains) }) { return nil }
    func row(_ set: Set<Int>) -> [Float] { columns.map { set.contains($0) ? 0 : -.infinity } }
    if wanted.count == 1 {
      return kept(&masks, [columns, wanted[0].sorted()]) {
        Tensor(row(wanted[0]), shape: [1, columns.count], device: batch.device)
      }
    }
    let rowOfSet = Dictionary(uniqueKeysWithValues: zip(used, wanted))
    let values = batch.candidates.flatMap { row(rowOfSet[$0] ?? []) }
    return Tensor(values, shape: [batch.candidates.count, columns.count], device: batch.device)
  }

  /// What was made for a key before, or is made now: on an accelerator nothing new may come from the program while an update
  /// is recorded.
  private func kept<Key>(_ known: inout [Key: Tensor], _ key: Key, _ make: () -> Tensor) -> Tensor {
    if let found = known[key] { return found }
    let made = make()
    known[key] = made
    return made
  }
}

/// A linear head over some of the global classes.
public struct HeadBlock {
  /// Global class of each output row.
  public let classes: [Int]
  public let linear: Linear
}
