import Adapters
import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct IA3Tests {
  private let layers = Layers()
  private let x = matrix([[1, -2, 3], [0.5, 4, -1]])

  @Test func outputsAreScaledWithTheirBias() {
    let linear = layers.linears[0]
    linear.bias?.assign(Tensor([0.5, -1] as [Float]))
    let before = linear(x, .evaluation)
    let adapter = IA3(on: linear, .output, index: 0, seed: 1, in: layers.store)
    #expect(areSame(linear(x, .evaluation), before))
    adapter.scales.assign(Tensor([2, -3] as [Float]))
    #expect(difference(linear(x, .evaluation), before * Tensor([2, -3] as [Float]), atol: 1e-6) == nil)
  }

  @Test func inputsAreScaled() {
    let linear = layers.linears[0]
    let scales = Tensor([2, -1, 0] as [Float])
    let expected = linear(x * scales, .evaluation)
    IA3(on: linear, .input, index: 0, seed: 1, in: layers.store).scales.assign(scales)
    #expect(difference(linear(x, .evaluation), expected, atol: 1e-6) == nil)
  }

  @Test func mergedLayersDoTheSame() throws {
    let linear = layers.linears[2]
    linear.bias?.assign(Tensor([0.5, -1] as [Float]))
    let lora = LoRA(on: linear, .init(rank: 1, alpha: 2, dropout: 0), index: 0, seed: 1, in: layers.store)
    lora.b.assign(matrix([[1], [2]]))
    let sets = [IA3.Side.input, .output].enumerated().map { index, side in
      IA3(on: linear, side, index: index, seed: 1, in: layers.store)
    }
    sets[0].scales.assign(Tensor([2, -1, 0] as [Float]))
    sets[1].scales.assign(Tensor([3, 0.5] as [Float]))
    let expected = linear(x, .evaluation)
    let merged = try layers.store.mergedBackbone()
    let weight = try #require(merged[linear.weight.name])
    let bias = try #require(linear.bias.flatMap { merged[$0.name] })
    #expect(difference(x.linear(weight, bias), expected, atol: 1e-5) == nil)
  }

  @Test func usualTargetsAreKeysValuesAndTheInputsOfOutputs() throws {
    let scope = Scope(store: ParameterStore(), dtype: .float32, device: .cpu, seed: 0)
    for name in ["q", "k", "v", "o", "DenseReluDense.wi", "DenseReluDense.wo"] { _ = Linear(3, 2, in: scope / name) }
    let set = try AdapterSet(ia3: [], index: 0, seed: 1, in: scope.store)
    #expect(set.parameters.map(\.name) == ["k", "v", "DenseReluDense.wo"].map { "\($0).ia3.0.scales" })
    #expect(set.parameters.map(\.shape) == [[2], [2], [3]])
  }

  @Test func mergingTakesTheAdaptersAway() throws {
    let linear = layers.linears[0]
    let set = try AdapterSet(.init(rank: 1, alpha: 2, dropout: 0), on: ["query"], index: 0, seed: 1, in: layers.store)
    set.loras[0].b.assign(matrix([[1], [2]]))
    let expected = linear(x, .evaluation), count = layers.store.all.count
    set.merge(into: layers.store)
    #expect(difference(linear(x, .evaluation), expected, atol: 1e-5) == nil)
    #expect(linear.attachments.isEmpty && layers.store.all.count == count - 4)
    #expect(layers.store["encoder.0.query.lora.0.a"] == nil)
    #expect(layers.store["encoder.1.query.weight"] === layers.linears[1].weight)
  }
}
