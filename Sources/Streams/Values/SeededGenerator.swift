/// SplitMix64: the same numbers on every platform and with every version of the standard library.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SeededGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A generator of its own for each name, so that a draw does not depend on what is drawn beside it.
  init(seed: UInt64, name: String) {
    // FNV-1a, because the standard library's hash differs from process to process.
    let hash = name.utf8.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    state = seed
    state = next() ^ hash
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A uniform integer in `0..<bound`, without modulo bias.
  mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "SeededGenerator.next(below: \(bound)): the bound is not positive")
    let bound = UInt64(bound)
    let limit = UInt64.max - UInt64.max % bound
    var drawn = next()
    while drawn >= limit { drawn = next() }
    return Int(drawn % bound)
  }

  /// Fisher and Yates, written out because `Array.shuffled(using:)` may change between library versions.
  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var result = elements
    for last in result.indices.dropFirst().reversed() {
      result.swapAt(last, next(below: last + 1))
    }
    return result
  }
}
