import Streams
public import Torch

/// The order of examples over the epochs of one experience: a function of seed, experience and update, so that any
/// update's batch is found without replaying the earlier ones.
struct Sampler {
  let examples: [TokenizedExample]
  let epochs: Int
  let rowsPerUpdate: Int
  /// Most updates; 0 for no limit.
  let limit: Int
  private let generator: Generator?
  private var shuffled: (epoch: Int, order: [Int])?

  /// - Parameter generator: shuffles each epoch; nil keeps the order of `examples`.
  init(_ plan: TrainingPlan, settings: TrainingSettings, generator: Generator) {
    (examples, epochs) = (plan.examples, plan.epochs)
    rowsPerUpdate = settings.batchSize * settings.accumulation
    limit = settings.maxUpdates
    self.generator = settings.shuffle ? generator : nil
  }

  /// Updates in one epoch; the last may be short.
  var updatesPerEpoch: Int { (examples.count + rowsPerUpdate - 1) / rowsPerUpdate }
  var updates: Int { limit > 0 ? min(limit, updatesPerEpoch * epochs) : updatesPerEpoch * epochs }

  mutating func batch(_ update: Int) -> Batch {
    let (epoch, place) = update.quotientAndRemainder(dividingBy: updatesPerEpoch)
    let order = order(epoch)
    let range = place * rowsPerUpdate..<min((place + 1) * rowsPerUpdate, order.count)
    return Batch(order[range].map { examples[$0] })
  }

  private mutating func order(_ epoch: Int) -> [Int] {
    if let shuffled, shuffled.epoch == epoch { return shuffled.order }
    var order = Array(examples.indices)
    if let generator {
      var random = generator.derived("epoch.\(epoch)")
      order = order.permuted(using: &random)
    }
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
