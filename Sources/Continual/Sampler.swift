import Streams
public import Torch

/// The order of examples over the epochs of one experience: a function of seed, experience and update, so that any
/// update's batch is found without replaying the earlier ones.
struct Sampler {
  let examples: [TokenizedExample]
  let epochs: Int
  let rowsPerUpdate: Int
  private let generator: Generator
  private var shuffled: (epoch: Int, order: [Int])?

  init(examples: [TokenizedExample], epochs: Int, rowsPerUpdate: Int, generator: Generator) {
    (self.examples, self.epochs, self.rowsPerUpdate, self.generator) = (examples, epochs, rowsPerUpdate, generator)
  }

  /// Updates in one epoch; the last may be short.
  var updatesPerEpoch: Int { (examples.count + rowsPerUpdate - 1) / rowsPerUpdate }
  var updates: Int { updatesPerEpoch * epochs }

  mutating func batch(_ update: Int) -> Batch {
    let (epoch, place) = update.quotientAndRemainder(dividingBy: updatesPerEpoch)
    let order = order(epoch)
    let range = place * rowsPerUpdate..<min((place + 1) * rowsPerUpdate, order.count)
    return Batch(order[range].map { examples[$0] })
  }

  private mutating func order(_ epoch: Int) -> [Int] {
    if let shuffled, shuffled.epoch == epoch { return shuffled.order }
    var random = generator.derived("epoch.\(epoch)")
    let order = Array(examples.indices).permuted(using: &random)
    shuffled = (epoch, order)
    return order
  }
}

extension Array {
  /// Fisher–Yates with the modulo of a 64-bit draw; written out because the library's may change between versions.
  public func permuted(using generator: inout Generator) -> [Element] {
    var result = self
    for last in result.indices.dropFirst().reversed() {
      result.swapAt(last, Int(generator.next() % UInt64(last + 1)))
    }
    return result
  }
}
