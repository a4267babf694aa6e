import Foundation
public import Torch

/// A learning rate.
public struct Rate: ExpressibleByFloatLiteral {
  public var value: Double
  /// The same as a float32 scalar on an accelerator, from where a recording of an update reads it.
  public var onDevice: Tensor?

  public init(_ value: Double, onDevice: Tensor? = nil) { (self.value, self.onDevice) = (value, onDevice) }
  public init(floatLiteral value: Double) { self.init(value) }
}

/// Updates trainable parameters from their gradients. Made anew for each experience; parameters without a
/// gradient in a step are left alone.
public protocol Optimizer: AnyObject {
  /// Updates so far.
  var step: Int { get }
  /// One update at `rate`; every gradient is multiplied by `gradientScale` first.
  func update(_ parameters: [Parameter], rate: Rate, gradientScale: Double)
  /// Whether the replay of a recorded update (`Recording`) is the next one: all that changes stands on the device.
  var isRecordable: Bool { get }
  /// Counts an update that a recording did.
  func didReplay()
  /// Moments by name, float32, for a checkpoint.
  var state: [String: Tensor] { get }
  func restore(_ state: [String: Tensor], step: Int, parameters: [Parameter])
}

extension Optimizer {
  public var isRecordable: Bool { false }
  public func didReplay() { preconditionFailure("\(Self.self): its updates cannot be recorded") }
}

/// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) or, with `isDecoupled` false, Adam with L2.
/// Weight decay applies to matrices only, not to biases and normalisation weights, unless `decaysVectors`.
public final class AdamW: Optimizer {
  public struct Configuration: Sendable {
    public var beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.0
    public var isDecoupled = true, decaysVectors = false
    public init() {}
  }

  /// What is kept of a parameter. Bias correction counts the updates of each, as the reference does: one that had no
  /// gradient waits.
  private struct Moments {
    let name: String
    let first: Tensor, second: Tensor
    /// Updates so far, on the CPU.
    var count = 0
    /// The same as a float32 scalar on an accelerator.
    var counter: Tensor?
    var touched: Tensor?
  }

  public private(set) var step = 0
  private let configuration: Configuration
  private var moments: [ObjectIdentifier: Moments] = [:]

  public init(_ configuration: Configuration) { self.configuration = configuration }

  public var isRecordable: Bool { true }
  public func didReplay() { step += 1 }

  public func update(_ parameters: [Parameter], rate: Rate, gradientScale: Double) {
    step += 1
    withoutGradient {
      let moving = parameters.filter { $0.gradient != nil }
      guard let device = moving.first?.value.device else { return }
      if device.runsBehind {
        fused(moving, rate.onDevice ?? Tensor([Float(rate.value)], shape: [], device: device), gradientScale)
      } else {
        onePass(moving, rate.value, gradientScale)
      }
    }
  }

  private struct Alike: Hashable { let step: Int, weightDecay: Double }

  /// One pass updates parameters that have seen as many updates, and decay alike.
  private func onePass(_ parameters: [Parameter], _ rate: Double, _ gradientScale: Double) {
    func update(_ alike: Alike) -> AdamWStep {
      AdamWStep(
        rate: rate, beta1: configuration.beta1, beta2: configuration.beta2, epsilon: configuration.epsilon,
        weightDecay: alike.weightDecay, step: alike.step, isDecoupled: configuration.isDecoupled,
        gradientScale: gradientScale)
    }
    var together: [Alike: [AdamWStep.Operands]] = [:]
    for parameter in parameters {
      var moment = moment(of: parameter)
      moment.count += 1
      let alike = Alike(step: moment.count, weightDecay: decay(of: parameter))
      if let rows = parameter.updatedRows {
        update(alike).apply(operands(parameter, moment), rows: rows)
        moment.touched = nil
      } else {
        together[alike, default: []].append(operands(parameter, moment))
      }
      moments[ObjectIdentifier(parameter)] = moment
    }
    for (alike, all) in together { update(alike).apply(all) }
  }

  /// One call for all parameters that decay alike; each has its count on the device.
  private func fused(_ parameters: [Parameter], _ rate: Tensor, _ gradientScale: Double) {
    var together: [Double: [(AdamWStep.Operands, Tensor)]] = [:]
    func update(_ weightDecay: Double) -> FusedAdamWStep {
      FusedAdamWStep(
        rate: rate, beta1: configuration.beta1, beta2: configuration.beta2, epsilon: configuration.epsilon,
        weightDecay: weightDecay, isDecoupled: configuration.isDecoupled, gradientScale: gradientScale)
    }
    for parameter in parameters {
      let moment = moment(of: parameter), decay = decay(of: parameter)
      guard let counter = moment.counter else { preconditionFailure("AdamW: \(parameter.name) has no count") }
      if let rows = parameter.updatedRows {
        update(decay).apply(operands(parameter, moment), count: counter, rows: rows)
      } else {
        together[decay, default: []].append((operands(parameter, moment), counter))
      }
    }
    for (decay, all) in together { update(decay).apply(all.map(\.0), counts: all.map(\.1)) }
  }

  private func decay(of parameter: Parameter) -> Double {
    configuration.decaysVectors || parameter.shape.count > 1 ? configuration.weightDecay : 0
  }

  /// - Precondition: the parameter has a gradient.
  private func operands(_ parameter: Parameter, _ moment: Moments) -> AdamWStep.Operands {
    guard let gradient = parameter.gradient else { preconditionFailure("AdamW: \(parameter.name) has no gradient") }
    return AdamWStep.Operands(
      value: parameter.value, master: parameter.master, gradient: gradient, first: moment.first,
      second: moment.second, touched: moment.touched)
  }

  private func moment(of parameter: Parameter) -> Moments {
    moments[ObjectIdentifier(parameter)] ?? begin(parameter, areZero: true)
  }

  private func begin(_ parameter: Parameter, areZero: Bool) -> Moments {
    let device = parameter.value.device, onCPU = !device.runsBehind
    let made = Moments(
      name: parameter.name, first: .zeros(parameter.shape, device: device),
      second: .zeros(parameter.shape, device: device), counter: onCPU ? nil : .zeros([], device: device),
      touched: onCPU ? AdamWStep.Operands.note(elements: parameter.count, areZero: areZero) : nil)
    moments[ObjectIdentifier(parameter)] = made
    return made
  }

  public var state: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for moment in moments.values {
      state["first.\(moment.name)"] = moment.first
      state["second.\(moment.name)"] = moment.second
      state["steps.\(moment.name)"] =
        moment.counter.map { $0.to(.int64, device: .cpu).reshaped(1) } ?? Tensor([Int64(moment.count)])
    }
    return state
  }

  public func restore(_ state: [String: Tensor], step: Int, parameters: [Parameter]) {
    self.step = step
    for parameter in parameters {
      guard let first = state["first.\(parameter.name)"], let second = state["second.\(parameter.name)"],
        let count = state["steps.\(parameter.name)"]
      else { continue }
      var made = begin(parameter, areZero: false)
      made.first.copy(from: first)
      made.second.copy(from: second)
      made.count = Int(count.item())
      made.counter?.fill(Double(made.count))
      moments[ObjectIdentifier(parameter)] = made
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

  public func update(_ parameters: [Parameter], rate: Rate, gradientScale: Double) {
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
        master.add(direction, scale: -rate.value)
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
