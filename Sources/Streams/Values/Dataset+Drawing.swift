/// How much of a training set is held out for validation.
public enum Holdout: Sendable, Hashable {
  /// A share of the examples, rounded, and no more than `atMost`.
  case fraction(Double, atMost: Int? = nil)
  case count(Int)

  func count(of total: Int) -> Int {
    switch self {
    case .fraction(let fraction, let atMost):
      precondition((0..<1).contains(fraction), "Holdout.fraction(\(fraction)) is not in 0..<1")
      return min(Int((fraction * Double(total)).rounded()), atMost ?? total)
    case .count(let count):
      precondition(count >= 0, "Holdout.count(\(count)) is negative")
      return count
    }
  }
}

extension Dataset {
  /// At most `cap` examples, drawn by `seed` so that the classes are as equal as they can be.
  ///
  /// Draws are nested: with one seed, a smaller cap gives a subset of a larger one. The order of the dataset stays.
  public func prefix(cap: Int, seed: UInt64) -> Dataset {
    precondition(cap >= 0, "Dataset(\(name)).prefix(cap: \(cap)): the cap is negative")
    guard cap < count else { return self }
    var generator = SeededGenerator(seed: seed, name: name)
    let groups = positionsByLabel.map { generator.shuffled($0) }
    var drawn: [Int] = []
    for round in 0..<(groups.map(\.count).max() ?? 0) {
      let layer = groups.filter { round < $0.count }.map { $0[round] }
      // The last layer may not fit whole: which classes get one more is drawn too.
      drawn += drawn.count + layer.count <= cap ? layer : Array(generator.shuffled(layer).prefix(cap - drawn.count))
      if drawn.count == cap { break }
    }
    return selecting(drawn)
  }

  /// Parts the dataset into training and validation, with every class in proportion.
  ///
  /// No text stands on both sides: texts that occur more than once stay in training, and so does the last example
  /// of every class. Validation is therefore smaller than asked for where too few examples are left.
  public func split(validation holdout: Holdout, seed: UInt64) -> (train: Dataset, validation: Dataset) {
    var generator = SeededGenerator(seed: seed, name: name)
    let occurrences = examples.reduce(into: [String: Int]()) { $0[$1.overlapKey, default: 0] += 1 }
    let groups = positionsByLabel.map { group in
      let unique = generator.shuffled(group.filter { occurrences[examples[$0].overlapKey] == 1 })
      return Array(unique.prefix(max(0, group.count - 1)))
    }
    let quotas = apportion(holdout.count(of: count), by: positionsByLabel.map(\.count), available: groups.map(\.count))
    let held = Set(zip(groups, quotas).flatMap { group, quota in group.prefix(quota) })
    return (selecting(Set(examples.indices).subtracting(held)), selecting(held))
  }
}

/// Seats for each group in proportion to `sizes` by largest remainder (ties to the earlier group), within `available`.
func apportion(_ seats: Int, by sizes: [Int], available: [Int]) -> [Int] {
  let total = max(1, sizes.reduce(0, +))
  let shares = sizes.map { Double(seats) * Double($0) / Double(total) }
  var quotas = zip(shares, available).map { min(Int($0), $1) }
  var left = min(seats, available.reduce(0, +)) - quotas.reduce(0, +)
  while left > 0 {
    let open = quotas.indices.filter { quotas[$0] < available[$0] }
    let neediest = open.max { (shares[$0] - Double(quotas[$0]), $1) < (shares[$1] - Double(quotas[$1]), $0) }
    guard let neediest else { break }
    quotas[neediest] += 1
    left -= 1
  }
  return quotas
}
