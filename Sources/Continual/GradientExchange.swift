import NN
import Torch

/// Sums the gradients of processes that train together, while the backward pass still makes others.
///
/// Parameters share buckets in the reverse of their order, which is about that of the backward pass; a bucket leaves as
/// soon as its last gradient is there, and all processes send them in the same order. Of a layer whose rows were chosen
/// before the backward pass (`Linear.keptRows`) only these rows travel.
final class GradientExchange {
  /// A parameter's place in its bucket.
  private struct Slot {
    let parameter: Parameter
    /// int64 `[k]`, or nil for all rows.
    let rows: Tensor?
    let range: Range<Int>
    var isReady = false
  }

  private struct Bucket {
    var slots: [Slot]
    /// Elements of all gradients together.
    let size: Int
    /// float32 on the parameters' device: the gradients one behind another, then a 1 for each that a process has.
    let values: Tensor
    var exchange: Processes.Exchange?

    func holder(_ slot: Int) -> Tensor { values.narrowed(0, size + slot..<size + slot + 1) }
  }

  private let processes: Processes
  private let parameters: [Parameter]
  private let keptRows: [ObjectIdentifier: KeptRows]
  private let bucketSize: Int
  private var buckets: [Bucket] = []
  private var sent = 0
  private var failure: (any Error)?

  /// - Parameters:
  ///   - processes: the others.
  ///   - parameters: those that train.
  ///   - linears: layers whose rows may be chosen.
  ///   - bucketSize: elements of a bucket; a larger parameter has one of its own.
  init(_ processes: Processes, _ parameters: [Parameter], linears: [Linear], bucketSize: Int = 2 << 20) {
    (self.processes, self.parameters, self.bucketSize) = (processes, parameters.reversed(), bucketSize)
    keptRows = Dictionary(
      linears.compactMap { layer in layer.keptRows.map { (ObjectIdentifier(layer.weight), $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// Before the last backward pass of an update.
  func begin() {
    (buckets, sent, failure) = ([], 0, nil)
    var members: [(Parameter, Tensor?, Int)] = [], size = 0
    for parameter in parameters {
      let rows = keptRows[ObjectIdentifier(parameter)]?.chosen
      let count = rows.map { parameter.count / parameter.shape[0] * $0.count } ?? parameter.count
      if !members.isEmpty, size + count > bucketSize { close(&members, &size) }
      members.append((parameter, rows, count))
      size += count
    }
    close(&members, &size)
    for (bucket, content) in buckets.enumerated() {
      for (slot, member) in content.slots.enumerated() {
        member.parameter.value.onGradient { [unowned self] in ready(bucket, slot) }
      }
    }
  }

  /// Sends what is left, waits for all, and puts the sums in place of the gradients.
  func end() throws {
    for parameter in parameters { parameter.value.onGradient(nil) }
    for bucket in sent..<buckets.count { send(bucket) }
    defer { buckets = [] }
    // Each is waited for, also behind one that failed.
    for bucket in buckets {
      do { try bucket.exchange?.end() } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
    withoutGradient { for bucket in buckets { receive(bucket) } }
  }

  private func close(_ members: inout [(Parameter, Tensor?, Int)], _ size: inout Int) {
    guard !members.isEmpty else { return }
    var slots: [Slot] = [], start = 0
    for (parameter, rows, count) in members {
      slots.append(Slot(parameter: parameter, rows: rows, range: start..<start + count))
      start += count
    }
    let device = members[0].0.value.device
    buckets.append(Bucket(slots: slots, size: size, values: .zeros([size + slots.count], device: device)))
    (members, size) = ([], 0)
  }

  private func ready(_ bucket: Int, _ slot: Int) {
    buckets[bucket].slots[slot].isReady = true
    while sent < buckets.count, buckets[sent].slots.allSatisfy(\.isReady) {
      send(sent)
      sent += 1
    }
  }

  private func send(_ index: Int) {
    let bucket = buckets[index]
    withoutGradient {
      for (place, slot) in bucket.slots.enumerated() {
        guard let gradient = slot.parameter.gradient else { continue }
        let chosen = slot.rows.map { gradient.gathered(0, $0) } ?? gradient
        bucket.values.narrowed(0, slot.range).copy(from: chosen.reshaped(-1))
        bucket.holder(place).fill(1)
      }
    }
    guard failure == nil else { return }
    do { buckets[index].exchange = try processes.beginSum(bucket.values) } catch { failure = error }
  }

  private func receive(_ bucket: Bucket) {
    // Only where this process has no gradient it matters whether another one has: an accelerator would wait for that.
    let knowsAll = bucket.slots.allSatisfy { $0.parameter.gradient != nil }
    let counts = knowsAll ? nil : bucket.values.narrowed(0, bucket.size..<bucket.values.count).values()
    for (index, slot) in bucket.slots.enumerated() where counts.map({ $0[index] > 0 }) ?? true {
      let parameter = slot.parameter, value = parameter.value
      let gradient = parameter.gradient ?? .zeros(like: value.detached())
      let sum = bucket.values.narrowed(0, slot.range)
      if let rows = slot.rows {
        let kept = sum.reshaped([rows.count] + parameter.shape.dropFirst())
        gradient.copy(from: kept.to(gradient.dtype), at: rows)
      } else {
        gradient.copy(from: sum.reshaped(parameter.shape))
      }
      parameter.gradient = gradient
    }
  }
}
