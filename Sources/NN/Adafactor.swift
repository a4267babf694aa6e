import Foundation
public import Torch

/// Adafactor: second moments of a matrix kept as a row and a column, no first moment, updates of bounded size.
///
/// With g² + 1e-30 averaged at the decay 1 − t^−0.8 over the columns (R) and over the rows (C) of the last two dimensions,
/// u = g / √(R·C / mean R), or g / √V with a full V for a vector; θ ← θ − ρ·u / max(1, rms(u)).
/// Source: Shazeer & Stern, ICML 2018, algorithms 4 and 5 (arXiv 1804.04235). Golden: `optimizers`, huggingface/transformers
/// 5.23 `Adafactor`. Weight decay applies to matrices only, unless `decaysVectors`; there is no `warmup_init`.
public final class Adafactor: Optimizer {
  public struct Configuration: Sendable {
    /// Multiplies the rate by each parameter's root mean square, 1e-3 at least.
    public var scalesByParameter = false
    /// Takes min(0.01, 1/√t) for the rate.
    public var usesRelativeStep = false
    public var weightDecay = 0.0, decaysVectors = false
    public init() {}
  }

  /// What is kept of a parameter.
  private struct Moments {
    let name: String
    /// Updates so far.
    var count = 0
    /// Of a matrix `[..., rows]` and `[..., columns]`; of a vector its own shape alone.
    let averages: [Tensor]
  }

  public private(set) var step = 0
  private let configuration: Configuration
  private var moments: [ObjectIdentifier: Moments] = [:]

  public init(_ configuration: Configuration) { self.configuration = configuration }

  public func update(_ parameters: [Parameter], rate: Rate, gradientScale: Double) {
    step += 1
    withoutGradient {
      for parameter in parameters {
        guard let gradient = parameter.gradient else { continue }
        precondition(parameter.updatedRows == nil, "Adafactor updates whole parameters; \(parameter.name) names rows")
        let id = ObjectIdentifier(parameter)
        var moment = moments[id] ?? begin(parameter)
        moment.count += 1
        moments[id] = moment
        let rate = configuration.usesRelativeStep ? relativeStep(moment.count) : rate.value
        let decay = 1 - pow(Double(moment.count), -0.8)
        if fused(parameter, gradient, moment.averages, rate, decay, gradientScale) { continue }
        let direction = Self.direction(gradient.to(.float32) * gradientScale, moment.averages, decay: decay)
        move(parameter, by: direction, rate: rate)
      }
    }
  }

  private func relativeStep(_ count: Int) -> Double { min(0.01, 1 / Double(count).squareRoot()) }

  /// Whether libtorch's operators were not needed: a matrix on the CPU.
  private func fused(
    _ parameter: Parameter, _ gradient: Tensor, _ averages: [Tensor], _ rate: Double, _ decay: Double, _ scale: Double
  ) -> Bool {
    guard averages.count == 2 else { return false }
    let update = AdafactorStep(
      rate: rate, decay: decay, weightDecay: configuration.weightDecay,
      scalesByParameter: configuration.scalesByParameter, gradientScale: scale)
    return update.apply(
      value: parameter.value, master: parameter.master, gradient: gradient, rows: averages[0], columns: averages[1])
  }

  /// The update before the rate, float32 in the gradient's shape; renews the averages.
  private static func direction(_ gradient: Tensor, _ averages: [Tensor], decay: Double) -> Tensor {
    let squares = gradient.squared() + 1e-30, last = gradient.rank - 1
    func renew(_ average: Tensor, _ value: Tensor) {
      average.multiply(by: decay)
      average.add(value, scale: 1 - decay)
    }
    var update: Tensor
    if averages.count == 1 {
      renew(averages[0], squares)
      update = averages[0].rsqrt() * gradient
    } else {
      renew(averages[0], squares.mean(last))
      renew(averages[1], squares.mean(last - 1))
      let rows = (averages[0] / averages[0].mean(last - 1, keep: true)).rsqrt()
      update = rows.unsqueezed(last) * averages[1].rsqrt().unsqueezed(last - 1) * gradient
    }
    return update / rootMeanSquare(update).clamped(1...(.infinity))
  }

  private func move(_ parameter: Parameter, by direction: Tensor, rate: Double) {
    let master = parameter.master
    var rate = Tensor.full([], rate, device: master.device)
    if configuration.scalesByParameter {
      rate = rate * Self.rootMeanSquare(master).clamped(1e-3...(.infinity))
    }
    if configuration.weightDecay != 0, configuration.decaysVectors || parameter.shape.count > 1 {
      master.add(master * (rate * configuration.weightDecay), scale: -1)
    }
    master.add(direction * rate, scale: -1)
    if parameter.value.dtype != .float32 { parameter.value.detached().copy(from: master) }
  }

  private static func rootMeanSquare(_ x: Tensor) -> Tensor {
    x.reshaped(-1).squared().mean(0).sqrt()
  }

  private func begin(_ parameter: Parameter) -> Moments {
    let shape = parameter.shape, device = parameter.value.device
    guard shape.count > 1 else { return Moments(name: parameter.name, averages: [.zeros(shape, device: device)]) }
    return Moments(
      name: parameter.name,
      averages: [
        .zeros(Array(shape.dropLast()), device: device), .zeros(shape.dropLast(2) + shape.suffix(1), device: device),
      ])
  }

  /// `average.0.NAME` and, of a matrix, `average.1.NAME`; `steps.NAME`.
  public var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for moment in moments.values {
      for (index, average) in moment.averages.enumerated() { state["average.\(index).\(moment.name)"] = average }
      state["steps.\(moment.name)"] = Tensor([Int64(moment.count)])
    }
    return state
  }

  public func restore(_ state: [String: Tensor], step: Int, parameters: [Parameter]) {
    self.step = step
    for parameter in parameters {
      guard let count = state["steps.\(parameter.name)"] else { continue }
      var made = begin(parameter)
      let saved = made.averages.indices.compactMap { state["average.\($0).\(parameter.name)"] }
      guard saved.count == made.averages.count else { continue }
      for (average, value) in zip(made.averages, saved) { average.copy(from: value) }
      made.count = Int(count.item())
      moments[ObjectIdentifier(parameter)] = made
    }
  }
}
