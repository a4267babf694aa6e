import Testing

@testable import Streams

@Suite struct DrawingTests {
  @Test func `a cap takes as many of each class as the others`() {
    #expect(dataset([50, 30, 40]).prefix(cap: 30, seed: 1).labelCounts == [10, 10, 10])
    #expect(dataset([50, 3, 40]).prefix(cap: 31, seed: 1).labelCounts == [14, 3, 14])
  }

  @Test(arguments: 0..<45) func `a cap is met, within one of balance`(cap: Int) throws {
    let drawn = dataset([15, 15, 15]).prefix(cap: cap, seed: 7)
    #expect(drawn.count == cap)
    let counts = drawn.labelCounts
    #expect(try #require(counts.max()) - #require(counts.min()) <= 1)
  }

  @Test func `a cap draws the same examples for one seed and others for another`() {
    let all = dataset([100, 100])
    #expect(all.prefix(cap: 20, seed: 3) == all.prefix(cap: 20, seed: 3))
    #expect(all.prefix(cap: 20, seed: 3) != all.prefix(cap: 20, seed: 4))
  }

  @Test func `the draw is the same on every machine`() {
    // SplitMix64, FNV-1a of "toy" and Fisher-Yates, computed apart in Python.
    #expect(dataset([20, 20]).prefix(cap: 4, seed: 0).examples.map(\.id) == ["0-2", "0-3", "1-1", "1-9"])
  }

  @Test func `a smaller cap draws a subset of a larger one`() {
    let all = dataset([40, 40, 9])
    for cap in 1..<89 {
      let smaller = Set(all.prefix(cap: cap, seed: 5).examples)
      let larger = Set(all.prefix(cap: cap + 1, seed: 5).examples)
      #expect(smaller.isSubset(of: larger), "cap \(cap)")
    }
  }

  @Test func `a cap keeps the order and leaves a small dataset alone`() {
    let all = dataset([5, 5])
    #expect(all.prefix(cap: 10, seed: 0) == all)
    let drawn = all.prefix(cap: 6, seed: 0).examples
    #expect(drawn == all.examples.filter(drawn.contains))
  }

  @Test func `a split parts the examples without loss or overlap`() {
    let all = dataset([60, 30, 10])
    let (train, validation) = all.split(validation: .fraction(0.2), seed: 2)
    #expect(validation.labelCounts == [12, 6, 2])
    #expect(train.labelCounts == [48, 24, 8])
    #expect(Set(train.examples).isDisjoint(with: validation.examples))
    #expect(Set(train.examples).union(validation.examples) == Set(all.examples))
  }

  @Test func `a split has at most so many examples, the remainder going to the largest share left`() {
    #expect(dataset([700, 200, 100]).split(validation: .fraction(0.1, atMost: 5), seed: 0).validation.count == 5)
    #expect(dataset([60, 30, 10]).split(validation: .count(7), seed: 0).validation.labelCounts == [4, 2, 1])
    #expect(dataset([60, 30, 10]).split(validation: .count(0), seed: 0).validation.isEmpty)
  }

  @Test func `a split leaves every class an example to train on`() {
    let (train, validation) = dataset([3, 1, 1]).split(validation: .count(4), seed: 0)
    #expect(train.labelCounts == [1, 1, 1])
    #expect(validation.labelCounts == [2, 0, 0])
  }

  @Test func `a text that stands twice is not held out`() {
    let texts = ["Rain.", "rain", "Sun", "Snow", "Hail", "Fog"]
    let examples = texts.map { Example(id: $0, text: $0, label: 0) }
    let all = Dataset(name: "weather", labels: ["x"], examples: examples)
    for seed in 0..<20 as Range<UInt64> {
      let (_, validation) = all.split(validation: .count(4), seed: seed)
      #expect(validation.count == 4)
      #expect(Set(validation.examples.map(\.id)).isDisjoint(with: ["Rain.", "rain"]))
    }
  }

  @Test func `a shuffle is uniform`() {
    var generator = SeededGenerator(seed: 11)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<6000 { counts[generator.shuffled([0, 1, 2]), default: 0] += 1 }
    let chiSquare = counts.values.reduce(0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    #expect(counts.count == 6)
    // The 99.9 % point of chi-square with five degrees of freedom.
    #expect(chiSquare < 20.5)
  }

  @Test func `SplitMix64 gives the published numbers`() {
    // The first outputs for seed 1234567 in the reference implementation.
    var generator = SeededGenerator(seed: 1_234_567)
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
  }
}
