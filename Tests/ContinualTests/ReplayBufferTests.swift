import Continual
import Streams
import Testing
import Torch

@Suite struct ReplayBufferTests {
  private func example(_ index: Int, of target: Int = 0) -> TokenizedExample {
    TokenizedExample(id: "\(index)", tokens: [1], firstLength: 1, target: target, experience: 0)
  }

  private func filled(_ policy: ReplayBuffer.Policy, _ examples: [TokenizedExample], seed: UInt64 = 0) -> ReplayBuffer {
    var buffer = ReplayBuffer(policy), generator = Generator(seed: seed)
    buffer.insert(examples, using: &generator)
    return buffer
  }

  private func counts(_ buffer: ReplayBuffer) -> [Int: Int] {
    buffer.examples.reduce(into: [:]) { $0[$1.target, default: 0] += 1 }
  }

  /// χ² of how often each of `bins` occurred, against equal chances.
  private func chiSquare(_ counts: [Int], expected: Double) -> Double {
    counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }

  @Test func theReservoirKeepsEachExampleWithTheSameProbability() {
    let stream = (0..<50).map { example($0) }
    var kept = [Int](repeating: 0, count: 50)
    for seed in 0..<4000 as Range<UInt64> {
      let buffer = filled(.reservoir(size: 10), stream, seed: seed)
      #expect(buffer.examples.count == 10)
      for stored in buffer.examples { kept[Int(stored.id) ?? 0] += 1 }
    }
    // 49 degrees of freedom: 85.4 is passed by chance once in a thousand.
    #expect(chiSquare(kept, expected: 4000 * 10 / 50) < 85.4)
  }

  @Test func aDrawIsUniformAndWithoutRepetition() {
    let buffer = filled(.reservoir(size: 20), (0..<20).map { example($0) })
    var generator = Generator(seed: 1)
    var drawn = [Int](repeating: 0, count: 20)
    for _ in 0..<2000 {
      let rows = buffer.draw(5, using: &generator)
      #expect(Set(rows.map(\.id)).count == 5)
      for row in rows { drawn[Int(row.id) ?? 0] += 1 }
    }
    // 19 degrees of freedom.
    #expect(chiSquare(drawn, expected: 500) < 43.8)
    #expect(buffer.draw(30, using: &generator).count == 20)
    #expect(ReplayBuffer(.ring(size: 4)).draw(3, using: &generator).isEmpty)
  }

  @Test func theRingKeepsTheNewestOfEachClass() {
    let stream = (0..<30).map { example($0, of: $0 % 3 == 0 ? 1 : 0) } + [example(30, of: 2)]
    let ids = filled(.ring(size: 9), stream).examples.map(\.id)
    #expect(ids == ["21", "24", "26", "27", "28", "29", "30"])
  }

  @Test(arguments: [ReplayBuffer.Policy.ring(size: 8), .balanced(size: 8)])
  func whatHasNoClassesIsSharedAmongTheExperiences(_ policy: ReplayBuffer.Policy) {
    let stream = (0..<2).flatMap { experience in
      (0..<40).map {
        TokenizedExample(id: "\($0)", tokens: [1], firstLength: 1, target: -1, experience: experience)
      }
    }
    let kept = filled(policy, stream).examples.map(\.experience)
    #expect(kept.count { $0 == 0 } == 4 && kept.count { $0 == 1 } == 4)
  }

  @Test func theBalancedReservoirFillsClassesAlike() {
    // Classes of very different size, one after the other.
    let sizes = [200, 20, 60, 3]
    let stream = sizes.enumerated().flatMap { target, size in
      (0..<size).map { example(target * 1000 + $0, of: target) }
    }
    var first = [Int](repeating: 0, count: 200)
    for seed in 0..<400 as Range<UInt64> {
      let buffer = filled(.balanced(size: 33), stream, seed: seed)
      #expect(counts(buffer) == [0: 10, 1: 10, 2: 10, 3: 3])
      for stored in buffer.examples where stored.target == 0 { first[Int(stored.id) ?? 0] += 1 }
    }
    // 199 degrees of freedom.
    #expect(chiSquare(first, expected: 400 * 10 / 200) < 267.5)
  }

  @Test func theRatioKeepsAShareOfEveryCall() {
    var buffer = ReplayBuffer(.ratio(0.02)), generator = Generator(seed: 0)
    for (target, size) in [500, 240, 10, 0].enumerated() {
      buffer.insert((0..<size).map { example($0, of: target) }, using: &generator)
    }
    #expect(counts(buffer) == [0: 10, 1: 5, 2: 1])
    #expect(Set(buffer.examples).count == 16)
    #expect(buffer.seen == 750)
    #expect(filled(.ratio(0), [example(0)]).examples.isEmpty)
  }

  @Test(arguments: [
    ReplayBuffer.Policy.reservoir(size: 7), .ring(size: 7), .balanced(size: 7), .ratio(0.3),
  ])
  func aRestoredBufferGoesOnAsTheFirst(_ policy: ReplayBuffer.Policy) {
    let stream = (0..<60).map { example($0, of: $0 % 7 == 0 ? 1 : $0 / 40) }
    var whole = filled(policy, Array(stream.prefix(30)))
    var state = MethodState()
    whole.save(in: &state)
    var restored = ReplayBuffer(policy)
    restored.restore(from: state)
    #expect(restored.examples == whole.examples)
    var (one, other) = (Generator(seed: 3), Generator(seed: 3))
    whole.insert(Array(stream.suffix(30)), using: &one)
    restored.insert(Array(stream.suffix(30)), using: &other)
    #expect(restored.examples == whole.examples)
    #expect(restored.seen == 60)
  }
}
