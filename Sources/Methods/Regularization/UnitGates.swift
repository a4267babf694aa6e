import NN
import Torch

/// A factor for each unit of a layer, one wherever nobody asks for another.
///
/// A unit is an output feature of the layer, or a block of its inputs: an attention head is a block of the inputs of the
/// layer behind the attention.
final class UnitGate: Attachment {
  enum Units {
    case outputs
    case inputBlocks(Int)
  }

  let units: Units
  let count: Int
  /// `[count]` in the compute dtype, while the gate is enabled.
  var values: Tensor?
  var isEnabled = false
  // Not the layer, which holds the gate.
  private let weight: Parameter, bias: Parameter?

  init(on linear: Linear, _ units: Units) {
    (weight, bias, self.units) = (linear.weight, linear.bias, units)
    switch units {
    case .outputs: count = linear.outputs
    case .inputBlocks(let blocks): count = blocks
    }
    linear.attach(self)
  }

  /// The layer's name: of the gate too.
  var name: String { weight.name }
  var parameters: [Parameter] { [] }
  var rowWeights: [RowWeight] { [] }

  func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    guard let values else { return y }
    switch units {
    case .outputs: return y * values
    case .inputBlocks:
      return (x * Self.spread(values, over: x.size(-1))).linear(weight.value, bias?.value)
    }
  }

  /// `[blocks]` → `[features]`, each value for the features of its block.
  static func spread(_ values: Tensor, over features: Int) -> Tensor {
    values.unsqueezed(1).expanded([values.size(0), features / values.size(0)]).reshaped(-1)
  }
}

/// The gates of an encoder: the heads, the inner and the outer neurons of each layer.
struct UnitGates {
  let gates: [UnitGate]

  /// Puts gates on the layers of a BERT-family encoder.
  init(_ store: ParameterStore, heads: Int) {
    gates = store.linears.filter { $0.weight.role == .backbone && !$0.isTied }.compactMap { linear in
      let name = linear.weight.name
      if name.hasSuffix("attention.output.dense.weight") { return UnitGate(on: linear, .inputBlocks(heads)) }
      if name.hasSuffix("intermediate.dense.weight") { return UnitGate(on: linear, .outputs) }
      return name.hasSuffix("output.dense.weight") ? UnitGate(on: linear, .outputs) : nil
    }
  }

  /// Runs `body` with these factors, in the order of `gates`.
  func with<Result>(_ values: [Tensor], _ body: () throws -> Result) rethrows -> Result {
    for (gate, value) in zip(gates, values) { (gate.values, gate.isEnabled) = (value, true) }
    defer { for gate in gates { (gate.values, gate.isEnabled) = (nil, false) } }
    return try body()
  }
}
