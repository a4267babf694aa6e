import Testing
import Torch

@Suite struct MemoryTests {
  @Test func blocksOfAllSizesHoldWhatIsWrittenToThem() {
    #expect(Runtime.keepFreedMemory())
    var generator = Generator(seed: 3)
    var live: [(tensor: Tensor, value: Double)] = []
    for round in 0..<2000 {
      // From a few bytes to two megabytes, below and above what counts as large.
      let count = 1 << Int(generator.next() % 20)
      live.append((.full([count + Int(generator.next() % 100)], Double(round)), Double(round)))
      if live.count > 60 { live.remove(at: Int(generator.next() % 60)) }
      if round % 500 == 499 { Runtime.releaseFreedMemory() }
      if round % 20 == 19 {
        let (tensor, value) = live[Int(generator.next() % UInt64(live.count))]
        #expect(tensor.min(0).item() == value && tensor.max(0).item() == value)
      }
    }
    for (tensor, value) in live { #expect(tensor.min(0).item() == value && tensor.max(0).item() == value) }
  }
}
