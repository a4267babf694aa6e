public import Streams
public import Torch

/// Stored examples of the past, and the rule that decides which are kept.
///
/// A value: what it keeps is a function of the examples inserted and of the generators handed in.
public struct ReplayBuffer: Sendable {
  public enum Policy: Sendable, Equatable {
    /// Every example inserted so far is kept with the same probability (Vitter 1985, algorithm R).
    case reservoir(size: Int)
    /// The newest of each class, `size` shared equally among the classes seen, at least one each. Of what has no classes,
    /// here and in `balanced`, each experience is one.
    case ring(size: Int)
    /// Classes as equal as their numbers allow, a reservoir within each (Chrysakis & Moens, ICML 2020, algorithm 1).
    case balanced(size: Int)
    /// A fraction of each call's examples, drawn at random, at least one; it grows with the stream.
    case ratio(Double)
  }

  public let policy: Policy
  public private(set) var examples: [TokenizedExample] = []
  /// Examples inserted so far, by class.
  private var seenByClass: [Int: Int] = [:]
  /// Classes that were the largest once; only `balanced` asks.
  private var fullClasses: Set<Int> = []

  public init(_ policy: Policy) { self.policy = policy }

  /// Examples offered so far, kept or not.
  public var seen: Int { seenByClass.values.reduce(0, +) }

  /// Offers examples, in order; with `ratio`, those of one experience.
  public mutating func insert(_ new: [TokenizedExample], using generator: inout Generator) {
    if case .ratio(let ratio) = policy {
      for example in new { seenByClass[Self.group(example), default: 0] += 1 }
      let count = new.isEmpty || ratio <= 0 ? 0 : max(1, Int((ratio * Double(new.count)).rounded()))
      return examples += Self.drawn(count, from: new, using: &generator)
    }
    for example in new { _ = insert(example, using: &generator) }
  }

  /// Offers one example; not with `ratio`, which draws from those of a whole experience.
  /// - Returns: its place in `examples`, nil where it is not kept. Others keep their places, but with `ring`.
  public mutating func insert(_ example: TokenizedExample, using generator: inout Generator) -> Int? {
    let before = seen
    seenByClass[Self.group(example), default: 0] += 1
    switch policy {
    case .reservoir(let size) where before >= size:
      let place = generator.index(below: before + 1)
      return replace(place < size ? place : nil, by: example)
    case .balanced(let size) where examples.count >= size:
      return replace(balancedPlace(of: Self.group(example), using: &generator), by: example)
    case .reservoir, .balanced: examples.append(example)
    case .ring(let size): keepNewest(example, size: size)
    case .ratio: preconditionFailure("ReplayBuffer.insert: \(policy) takes the examples of a whole experience")
    }
    return examples.count - 1
  }

  private mutating func replace(_ place: Int?, by example: TokenizedExample) -> Int? {
    if let place { examples[place] = example }
    return place
  }

  /// `count` different stored examples, uniformly; all of them, in random order, where fewer are stored.
  public func draw(_ count: Int, using generator: inout Generator) -> [TokenizedExample] {
    Self.drawn(count, from: examples, using: &generator)
  }

  /// The places in `examples` of as many.
  public func drawPlaces(_ count: Int, using generator: inout Generator) -> [Int] {
    Self.drawn(count, from: Array(examples.indices), using: &generator)
  }

  private static func drawn<Element>(
    _ count: Int, from pool: [Element], using generator: inout Generator
  ) -> [Element] {
    var order = Array(pool.indices)
    return (0..<min(count, pool.count)).map { place in
      order.swapAt(place, place + generator.index(below: order.count - place))
      return pool[order[place]]
    }
  }

  /// The class of an example, or a number below zero for its experience where it has none.
  private static func group(_ example: TokenizedExample) -> Int {
    example.target >= 0 ? example.target : -1 - example.experience
  }

  private mutating func keepNewest(_ example: TokenizedExample, size: Int) {
    examples.append(example)
    let quota = max(1, size / seenByClass.count)
    var kept: [Int: Int] = [:]
    examples = examples.reversed().filter { stored in
      kept[Self.group(stored), default: 0] += 1
      return kept[Self.group(stored), default: 0] <= quota
    }.reversed()
  }

  /// Which stored example gives way to one of class `target`; nil where the new one is dropped.
  private mutating func balancedPlace(of target: Int, using generator: inout Generator) -> Int? {
    let stored = Dictionary(grouping: examples.indices) { Self.group(examples[$0]) }
    let largest = stored.values.map(\.count).max() ?? 0
    for (key, places) in stored where places.count == largest { fullClasses.insert(key) }
    guard fullClasses.contains(target), let own = stored[target] else {
      let candidates = examples.indices.filter { stored[Self.group(examples[$0])]?.count == largest }
      return candidates.isEmpty ? nil : candidates[generator.index(below: candidates.count)]
    }
    let isKept = generator.uniform() * Double(seenByClass[target, default: 1]) < Double(own.count)
    return isKept ? own[generator.index(below: own.count)] : nil
  }
}

// MARK: State

extension ReplayBuffer {
  /// The buffer as a method's state: exemplars under `name`, counts under `name.seen.<class>` and `name.full.<class>`.
  public func save(in state: inout MethodState, as name: String = "buffer") {
    state.exemplars[name] = examples
    state.numbers = state.numbers.filter { !$0.key.hasPrefix("\(name).") }
    for (target, count) in seenByClass { state.numbers["\(name).seen.\(target)"] = Double(count) }
    for target in fullClasses { state.numbers["\(name).full.\(target)"] = 1 }
  }

  /// Takes over what `save` wrote.
  public mutating func restore(from state: MethodState, as name: String = "buffer") {
    examples = state.exemplars[name] ?? []
    func classes(_ kind: String) -> [(Int, Double)] {
      let prefix = "\(name).\(kind)."
      return state.numbers.compactMap { key, value in
        key.hasPrefix(prefix) ? Int(key.dropFirst(prefix.count)).map { ($0, value) } : nil
      }
    }
    seenByClass = Dictionary(uniqueKeysWithValues: classes("seen").map { ($0, Int($1)) })
    fullClasses = Set(classes("full").map(\.0))
  }
}
