import Adapters
import NN
import TestSupport
import Testing
import Torch

@Suite struct AdapterTests {
  private let layers = Layers()
  private let x = matrix([[1, -2, 3], [0.5, 4, -1]])

  private func lora(dropout: Double = 0) -> LoRA {
    LoRA(on: layers.linears[0], .init(rank: 1, alpha: 3, dropout: dropout), index: 0, seed: 7, in: layers.store)
  }

  @Test func aFreshAdapterChangesNothing() {
    let linear = layers.linears[0]
    let before = linear(x, .evaluation)
    _ = lora()
    _ = Bottleneck(on: linear, width: 4, index: 0, seed: 7, in: layers.store)
    #expect(areSame(linear(x, .evaluation), before))
  }

  @Test func loRAAddsItsScaledProduct() {
    let linear = layers.linears[0]
    let before = linear(x, .evaluation)
    let lora = lora()
    lora.a.assign(matrix([[1, 2, 1]]))
    lora.b.assign(matrix([[1], [-2]]))
    // A·x is 0 and 7.5, alpha/rank is 3.
    let added = matrix([[0, 0], [22.5, -45]])
    #expect(difference(linear(x, .evaluation), before + added, atol: 1e-5) == nil)
    #expect(areSame(lora.product, matrix([[3, 6, 3], [-6, -12, -6]])))
    #expect(difference(x.matmul(lora.product.t), added, atol: 1e-5) == nil)
  }

  @Test func loRADropsItsInputInTrainingOnly() {
    let linear = layers.linears[0]
    let lora = lora(dropout: 0.5)
    lora.b.assign(.ones([2, 1]))
    let evaluated = linear(x, .evaluation)
    #expect(areSame(linear(x, .evaluation), evaluated))
    #expect(!areSame(linear(x, .training(Generator(seed: 3))), evaluated))
  }

  @Test func aBottleneckAddsAFunctionOfTheOutput() {
    let linear = layers.linears[0]
    linear.weight.assign(matrix([[1, 0, 0], [0, 1, 0]]))
    linear.bias?.assign(.zeros([2]))
    let adapter = Bottleneck(on: linear, width: 1, index: 0, seed: 7, in: layers.store)
    adapter.down.assign(matrix([[1, 1]]))
    adapter.downBias.assign(Tensor([0.5 as Float]))
    adapter.up.assign(matrix([[2], [0]]))
    adapter.upBias.assign(Tensor([0, 1] as [Float]))
    // Outputs [1, −2] and [0.5, 4]: hidden relu(−0.5) = 0 and 5.
    #expect(areSame(linear(x, .evaluation), matrix([[1, -1], [10.5, 5]])))
  }

  @Test func aSetHoldsOneAdapterALayerUnderItsOwnNames() throws {
    let set = try AdapterSet(.init(rank: 2, alpha: 4, dropout: 0), on: ["query"], index: 1, seed: 7, in: layers.store)
    let names = ["0", "1"].flatMap { layer in ["a", "b"].map { "encoder.\(layer).query.lora.1.\($0)" } }
    #expect(set.parameters.map(\.name) == names)
    #expect(set.parameters.allSatisfy { $0.role == .adapter && set.contains($0) })
    #expect(!set.contains(layers.linears[0].weight))
    #expect(set.loras.map(\.weight.name) == ["encoder.0.query.weight", "encoder.1.query.weight"])
    #expect(set.loras[0].a.shape == [2, 3] && set.loras[0].b.shape == [2, 2] && set.loras[0].scale == 2)
  }

  @Test func adaptersOfOneSetStartApart() throws {
    let set = try AdapterSet(.init(rank: 2, alpha: 4, dropout: 0), on: ["query"], index: 0, seed: 7, in: layers.store)
    let next = try AdapterSet(.init(rank: 2, alpha: 4, dropout: 0), on: ["query"], index: 1, seed: 7, in: layers.store)
    #expect(!areSame(set.loras[0].a.master, set.loras[1].a.master))
    #expect(!areSame(set.loras[0].a.master, next.loras[0].a.master))
  }

  @Test func aDisabledSetIsAsIfNotAttached() throws {
    let linear = layers.linears[0]
    let before = linear(x, .evaluation)
    let set = try AdapterSet(bottleneck: 4, on: ["all"], index: 0, seed: 7, in: layers.store)
    for parameter in set.parameters { parameter.assign(.ones(parameter.shape)) }
    let attached = linear(x, .evaluation)
    #expect(!areSame(attached, before))
    #expect(set.disabled { areSame(linear(x, .evaluation), before) })
    #expect(areSame(linear(x, .evaluation), attached))
  }

  @Test func aSnapshotIsACopy() throws {
    let set = try AdapterSet(bottleneck: 1, on: ["dense"], index: 0, seed: 7, in: layers.store)
    let copy = set.snapshot()
    for parameter in set.parameters { parameter.assign(.full(parameter.shape, 5)) }
    #expect(copy["encoder.1.output.dense.adapter.0.up.bias"].map { areSame($0, .zeros([2])) } == true)
  }

  @Test func refusesToAttachTheSameAdapterTwice() throws {
    let configuration = LoRA.Configuration(rank: 1, alpha: 1, dropout: 0)
    _ = try AdapterSet(configuration, on: ["1.query"], index: 0, seed: 7, in: layers.store)
    let error = #expect(throws: AdapterError.self) {
      try AdapterSet(configuration, on: ["query"], index: 0, seed: 8, in: layers.store)
    }
    #expect(
      error?.errorDescription
        == "two methods of the recipe make the adapter 'encoder.1.query.lora.0'. "
        + "Keep one of them, or give them different targets.")
  }
}
