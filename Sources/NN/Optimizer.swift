import Foundation
public import Torch

/// Updates trainable parameters from their gradients. Made anew for each experience; parameters without a
/// gradient in a step are left alone.
public protocol Optimizer: AnyObject {
  /// Updates so far.
  var step: Int { get }
  /// One update at `rate`; every gradient is multiplied by `gradientScale` first.
  func update(_ parameters: [Parameter], rate: Double, gradientScale: Double)
  /// Moments by name, float32, for a checkpoint.
  var state: [String: Tensor] { get }
  func restore(_ state: [String: Tensor], step: Int, parameters: [Parameter])
}

/// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) or, with `isDecoupled` false, Adam with L2.
/// Weight decay applies to matrices only, not to biases and normalisation weights, unless `decaysVectors`.
public final class AdamW: Optimizer {
  public struct Configuration: Sendable {
    public var beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.0
    public var isDecoupled = true, decaysVectors = false
    public init() {}
  }
  private struct Moments {
    let first: Tensor, second: Tensor
    var touched: Tensor?
  }

  public private(set) var step = 0
  private let configuration: Configuration
  private var moments: [ObjectIdentifier: Moments] = [:]
  private var names: [ObjectIdentifier: String] = [:]
  // Bias correction counts the updates of each parameter, as the reference does: one that had no gradient waits.
  private var steps: [ObjectIdentifier: Int] = [:]

  public init(_ configuration: Configuration) { self.configuration = configuration }

  public func update(_ parameters: [Parameter], rate: Double, gradientScale: Double) {
    step += 1
    // One pass updates parameters that have seen as many updates, and decay alike.
    var together: [Alike: [AdamWStep.Operands]] = [:]
    withoutGradient {
      for parameter in parameters {
        guard let gradient = parameter.gradient else { continue }
        let id = ObjectIdentifier(parameter)
        let moment = moments[id] ?? begin(parameter, id, areZero: true)
        let count = steps[id, default: 0] + 1
        steps[id] = count
        let decay = configuration.decaysVectors || parameter.shape.count > 1 ? configuration.weightDecay : 0
        let alike = Alike(step: count, weightDecay: decay)
        let operands = AdamWStep.Operands(
          value: parameter.value, master: parameter.master, gradient: gradient, first: moment.first,
          second: moment.second, touched: moment.touched)
        if let rows = parameter.updatedRows {
          update(alike, rate, gradientScale).apply(operands, rows: rows)
          moments[id]?.touched = nil
        } else {
          together[alike, default: []].append(operands)
        }
      }
      for (alike, all) in together {
        update(alike, rate, gradientScale).apply(all)
      }
    }
  }

  private struct Alike: Hashable { let step: Int, weightDecay: Double }

  private func update(_ alike: Alike, _ rate: Double, _ gradientScale: Double) -> AdamWStep {
    AdamWStep(
      rate: rate, beta1: configuration.beta1, beta2: configuration.beta2, epsilon: configuration.epsilon,
      weightDecay: alike.weightDecay, step: alike.step, isDecoupled: configuration.isDecoupled,
      gradientScale: gradientScale)
  }

  private func begin(_ parameter: Parameter, _ id: ObjectIdentifier, areZero: Bool) -> Moments {
    let device = parameter.value.device
    let made = Moments(
      first: .zeros(parameter.shape, device: device), second: .zeros(parameter.shape, device: device),
      touched: device == .cpu ? AdamWStep.Operands.note(elements: parameter.shape.reduce(1, *), areZero: areZero) : nil)
    moments[id] = made
    names[id] = parameter.name
    return made
  }

  public var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (id, moment) in moments {
      guard let name = names[id] else { continue }
      state["first.\(name)"] = moment.first
      state["second.\(name)"] = moment.second
      state["steps.\(name)"] = Tensor([Int64(steps[id, default: 0])])
    }
    return state
  }

  public func restore(_ state: [String: Tensor], step: Int, parameters: [Parameter]) {
    self.step = step
    for parameter in parameters {
      guard let first = state["first.\(parameter.name)"], let second = state["second.\(parameter.name)"],
        let count = state["steps.\(parameter.name)"]
      else { continue }
      let id = ObjectIdentifier(parameter)
      let made = begin(parameter, id, areZero: false)
      made.first.copy(from: first)
      made.second.copy(from: second)
      steps[id] = Int(count.item())
    }
  }
}

/// Stochastic gradient descent with momentum as PyTorch defines it: v ← μv + g, θ ← θ − η(g + μv) with Nesterov, −ηv without.
public final class SGD: Optimizer {
  public struct Configuration: Sendable {
    public var momentum = 0.0, weightDecay = 0.0, isNesterov = false
    public init() {}
  }
  public private(set) var step = 0
  private let configuration: Configuration
  private var velocity: [String: Tensor] = [:]

  public init(_ configuration: Configuration) { self.configuration = configuration }

  public func update(_ parameters: [Parameter], rate: Double, gradientScale: Double) {
    step += 1
    withoutGradient {
      for parameter in parameters {
        guard let gradient = parameter.gradient else { continue }
        precondition(parameter.updatedRows == nil, "SGD updates whole parameters; \(parameter.name) names rows")
        let master = parameter.master
        var direction = gradient.to(.float32) * gradientScale
        if configuration.weightDecay != 0 { direction = direction + master * configuration.weightDecay }
        if configuration.momentum != 0 {
          let momentum: Tensor
          if let stored = velocity[parameter.name] {
            stored.multiply(by: configuration.momentum)
            stored.add(direction)
            momentum = stored
          } else {
            momentum = direction.clone()
            velocity[parameter.name] = momentum
          }
          direction = configuration.isNesterov ? direction + momentum * configuration.momentum : momentum
        }
        master.add(direction, scale: -rate)
        if parameter.value.dtype != .float32 { parameter.value.detached().copy(from: master) }
      }
    }
  }

  public var state: [String: Tensor] { velocity }

  public func restore(_ state: [String: Tensor], step: Int, parameters: [Parameter]) {
    self.step = step
    velocity = state.mapValues { $0.clone() }
  }
}
