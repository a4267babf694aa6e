import Foundation

/// A linear axis: the numbers it spans and where its ticks stand.
struct Axis {
  let low: Double
  let high: Double
  let ticks: [Double]
  let label: (Double) -> String

  /// Spans `values`, rounded outwards to ticks; `zero` draws 0 in.
  init(_ values: [Double], zero: Bool = false, count: Int = 5, label: @escaping (Double) -> String) {
    let finite = values.filter(\.isFinite)
    var low = finite.min() ?? 0, high = finite.max() ?? 1
    if zero { (low, high) = (min(low, 0), max(high, 0)) }
    if low == high { (low, high) = (zero && low >= 0 ? 0 : low - 1, high + 1) }
    let step = Self.step(high - low, count: count)
    self.low = (low / step + 1e-9).rounded(.down) * step
    self.high = (high / step - 1e-9).rounded(.up) * step
    ticks = Array(stride(from: self.low, through: self.high + step * 1e-6, by: step))
    self.label = label
  }

  /// Positions 1...count, labelled sparsely enough to read.
  init(positions count: Int) {
    low = 1
    high = Double(max(2, count))
    let step = max(1, Int((Double(count) / 8).rounded(.up)))
    ticks = stride(from: 1, through: count, by: step).map(Double.init)
    label = { String(Int($0)) }
  }

  /// Exactly `low...high`, with ticks at round numbers within.
  init(from low: Double, through high: Double, count: Int = 6, label: @escaping (Double) -> String) {
    self.low = low
    self.high = high > low ? high : low + 1
    let step = Self.step(self.high - low, count: count)
    ticks = Array(stride(from: (low / step).rounded(.up) * step, through: self.high, by: step))
    self.label = label
  }

  /// Position of a value along the axis, 0...1.
  func position(_ value: Double) -> Double { (value - low) / (high - low) }

  /// The round step (1, 2, 2.5 or 5 times a power of ten) that cuts `span` into about `count` parts.
  private static func step(_ span: Double, count: Int) -> Double {
    let raw = span / Double(count)
    let power = pow(10, floor(log10(raw)))
    return ([1, 2, 2.5, 5, 10].first { $0 * power >= raw * 0.999 } ?? 10) * power
  }
}
