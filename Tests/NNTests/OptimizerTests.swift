import NN
import TestSupport
import Testing
import Torch

@Suite struct OptimizerTests {
  private static func adamW(_ change: (inout AdamW.Configuration) -> Void) -> AdamW {
    var configuration = AdamW.Configuration()
    change(&configuration)
    return AdamW(configuration)
  }

  private static func sgd(_ change: (inout SGD.Configuration) -> Void) -> SGD {
    var configuration = SGD.Configuration()
    change(&configuration)
    return SGD(configuration)
  }

  private static func adafactor(_ change: (inout Adafactor.Configuration) -> Void) -> Adafactor {
    var configuration = Adafactor.Configuration()
    change(&configuration)
    return Adafactor(configuration)
  }

  private func parameters(_ golden: [String: Tensor]) throws -> [Parameter] {
    try (0..<3).map { index in
      let initial = try #require(golden["initial.\(index)"]).clone()
      let parameter = Parameter(name: "p\(index)", role: .backbone, initial: initial, dtype: .float32)
      parameter.isTrainable = true
      return parameter
    }
  }

  /// Twelve updates of three tensors, each compared with the reference.
  private func compare(_ name: String, _ optimizer: any Optimizer, rate: Double) throws {
    let golden = try Golden.load("optimizers/trajectories.safetensors")
    let parameters = try parameters(golden)
    for step in 0..<12 {
      for (index, parameter) in parameters.enumerated() {
        parameter.gradient = try #require(golden["gradients.\(index)"]).at(0, step).clone()
      }
      optimizer.update(parameters, rate: Rate(rate), gradientScale: 1)
      for (index, parameter) in parameters.enumerated() {
        let expected = try #require(golden["\(name).\(index)"]).at(0, step)
        #expect(difference(parameter.master, expected, atol: 2e-6) == nil, "\(name), step \(step), tensor \(index)")
      }
    }
    #expect(optimizer.step == 12)
  }

  @Test func adamWFollowsTheReference() throws {
    try compare("adamw", Self.adamW { ($0.weightDecay, $0.decaysVectors) = (0.1, true) }, rate: 0.01)
  }

  @Test func adamWithL2FollowsTheReference() throws {
    let optimizer = Self.adamW {
      ($0.beta1, $0.beta2, $0.epsilon, $0.weightDecay) = (0.8, 0.99, 1e-6, 0.1)
      ($0.isDecoupled, $0.decaysVectors) = (false, true)
    }
    try compare("adam-l2", optimizer, rate: 0.01)
  }

  @Test func adafactorFollowsTheReference() throws {
    try compare("adafactor", Self.adafactor { ($0.weightDecay, $0.decaysVectors) = (0.01, true) }, rate: 0.5)
    let relative = Self.adafactor { ($0.usesRelativeStep, $0.scalesByParameter) = (true, true) }
    // Its rate is its own.
    try compare("adafactor-relative", relative, rate: 123)
  }

  @Test func adafactorKeepsARowAndAColumnOfAMatrix() throws {
    let parameters = try parameters(try Golden.load("optimizers/trajectories.safetensors"))
    for parameter in parameters { parameter.gradient = .ones(parameter.shape) }
    let optimizer = Self.adafactor { _ in }
    optimizer.update(parameters, rate: 0.1, gradientScale: 1)
    let shapes = optimizer.state.filter { $0.key.hasPrefix("average.") }.mapValues(\.shape)
    #expect(
      shapes == [
        "average.0.p0": [4], "average.1.p0": [3], "average.0.p1": [5], "average.0.p2": [2, 3], "average.1.p2": [2, 2],
      ])
  }

  /// Rows and columns that fill no vector, more rows than a part; what is not float32 or bfloat16 goes the way of libtorch's operators.
  @Test(arguments: [DType.float32, .bfloat16], [true, false])
  func adafactorOfALargeMatrixIsThatOfDoubles(_ dtype: DType, _ scales: Bool) {
    var generator = Generator(seed: 2)
    let initial = Tensor.normal([150, 37], &generator) * 3
    let parameters = [dtype, .float64].map { dtype -> Parameter in
      let parameter = Parameter(name: "w", role: .backbone, initial: initial.clone(), dtype: dtype)
      parameter.isTrainable = true
      return parameter
    }
    let optimizers = parameters.map { _ in
      Self.adafactor { ($0.weightDecay, $0.scalesByParameter) = (0.1, scales) }
    }
    for step in 1...5 {
      // The first row is that of a word that no text has; the bound of an update comes into play.
      let gradient = (Tensor.normal([150, 37], &generator) * Double(step)).to(.bfloat16)
      gradient.narrowed(0, 0..<1).fill(0)
      for (parameter, optimizer) in zip(parameters, optimizers) {
        parameter.gradient = gradient.to(parameter.value.dtype)
        optimizer.update([parameter], rate: 0.02, gradientScale: 0.5)
      }
    }
    let expected = parameters[1].master.to(.float32)
    #expect(difference(parameters[0].master, expected, atol: 1e-5) == nil)
    #expect(parameters[0].value.detached().values() == parameters[0].master.to(dtype).values())
  }

  @Test func adafactorBoundsAnUpdate() {
    let parameter = Parameter(name: "w", role: .backbone, initial: .zeros([2, 2]), dtype: .bfloat16)
    parameter.isTrainable = true
    let optimizer = Self.adafactor { _ in }
    for size in [1.0, 1000] {
      let before = parameter.master.clone()
      parameter.gradient = Tensor.full([2, 2], size).to(.bfloat16)
      optimizer.update([parameter], rate: 0.5, gradientScale: 1)
      // Without the bound, the second update would be 0.66 in size.
      #expect(difference(before - parameter.master, [0.5, 0.5, 0.5, 0.5]) == nil)
    }
    #expect(parameter.value.detached().values() == [-1, -1, -1, -1])
  }

  @Test func gradientDescentFollowsTheReference() throws {
    try compare("sgd", Self.sgd { _ in }, rate: 0.1)
    try compare("sgd-l2", Self.sgd { $0.weightDecay = 0.1 }, rate: 0.1)
    try compare("sgd-momentum", Self.sgd { ($0.momentum, $0.weightDecay) = (0.9, 0.01) }, rate: 0.1)
    let nesterov = Self.sgd { ($0.momentum, $0.weightDecay, $0.isNesterov) = (0.9, 0.01, true) }
    try compare("sgd-nesterov", nesterov, rate: 0.1)
  }

  @Test func decaySparesVectorsUnlessAsked() {
    func shrunk(_ decaysVectors: Bool) -> [Float] {
      let weights = [[2, 2], [4]].map { shape -> Parameter in
        let parameter = Parameter(name: "\(shape)", role: .backbone, initial: .ones(shape), dtype: .float32)
        parameter.isTrainable = true
        parameter.gradient = .zeros(shape)
        return parameter
      }
      Self.adamW { ($0.weightDecay, $0.decaysVectors) = (0.5, decaysVectors) }
        .update(weights, rate: 0.1, gradientScale: 1)
      return weights.map { $0.master.values()[0] }
    }
    #expect(shrunk(false) == [0.95, 1])
    #expect(shrunk(true) == [0.95, 0.95])
  }

  @Test func parametersWithoutGradientWaitWithTheirBiasCorrection() throws {
    let golden = try Golden.load("optimizers/trajectories.safetensors")
    let optimizer = Self.adamW { ($0.weightDecay, $0.decaysVectors) = (0.1, true) }
    let parameters = try parameters(golden)
    let waiting = parameters[1].master.clone()
    parameters[0].gradient = try #require(golden["gradients.0"]).at(0, 0).clone()
    optimizer.update(parameters, rate: 0.01, gradientScale: 1)
    #expect(difference(parameters[1].master, waiting, atol: 0) == nil)
    parameters[1].gradient = try #require(golden["gradients.1"]).at(0, 0).clone()
    optimizer.update(parameters, rate: 0.01, gradientScale: 1)
    #expect(difference(parameters[1].master, try #require(golden["adamw.1"]).at(0, 0), atol: 1e-6) == nil)
  }

  @Test func aRestoredStateContinuesBitForBit() throws {
    let golden = try Golden.load("optimizers/trajectories.safetensors")
    let makers: [() -> any Optimizer] = [
      { Self.adamW { $0.weightDecay = 0.1 } }, { Self.sgd { $0.momentum = 0.9 } },
      { Self.adafactor { $0.scalesByParameter = true } },
    ]
    for make in makers {
      let whole = try parameters(golden), halves = try parameters(golden)
      let one = make()
      var two = make()
      for step in 0..<6 {
        if step == 3 {
          let resumed = make()
          resumed.restore(two.state.mapValues { $0.clone() }, step: two.step, parameters: halves)
          two = resumed
        }
        for (optimizer, parameters) in [(one, whole), (two, halves)] {
          for (index, parameter) in parameters.enumerated() {
            parameter.gradient = try #require(golden["gradients.\(index)"]).at(0, step).clone()
          }
          optimizer.update(parameters, rate: 0.01, gradientScale: 0.7)
        }
      }
      #expect(two.step == 6)
      for (a, b) in zip(whole, halves) { #expect(a.master.values() == b.master.values()) }
    }
  }

  @Test(arguments: [DType.float32, .bfloat16]) func gradientScaleMultipliesEveryGradient(_ dtype: DType) {
    let parameter = Parameter(name: "w", role: .backbone, initial: Tensor([1, 2] as [Float]), dtype: dtype)
    parameter.isTrainable = true
    parameter.gradient = Tensor([4, 8] as [Float]).to(dtype)
    SGD(.init()).update([parameter], rate: 0.5, gradientScale: 0.25)
    #expect(parameter.master.values() == [0.5, 1])
    #expect(parameter.value.detached().values() == [0.5, 1])
  }
}
