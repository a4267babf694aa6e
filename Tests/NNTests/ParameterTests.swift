import NN
import TestSupport
import Testing
import Torch

@Suite struct ParameterTests {
  private func parameter(_ values: [Float], _ dtype: DType) -> Parameter {
    Parameter(name: "w", role: .backbone, initial: Tensor(values), dtype: dtype)
  }

  @Test func masterAndValueAreOneInFloat32() {
    let weight = parameter([1, 2], .float32)
    weight.master.fill(5)
    #expect(weight.value.values() == [5, 5])
  }

  @Test func theMasterKeepsWhatBfloat16Rounds() {
    let weight = parameter([1.001, 2], .bfloat16)
    #expect(weight.value.values() == [1, 2])
    #expect(weight.master.values() == [1.001, 2])
    let master = weight.master, value = weight.value
    weight.assign(Tensor([3.001, 4] as [Float]))
    #expect(weight.value.values() == [3, 4])
    #expect(weight.master.values() == [3.001, 4])
    #expect(weight.master.isIdentical(to: master) && weight.value.isIdentical(to: value))
  }

  @Test(arguments: [DType.float32, .bfloat16]) func assignmentKeepsTrainability(_ dtype: DType) {
    let weight = parameter([1, 2], dtype)
    weight.isTrainable = true
    weight.assign(Tensor([5, 6] as [Float]))
    #expect(weight.isTrainable)
    weight.value.sum().backward()
    #expect(weight.gradient?.dtype == dtype)
    #expect(weight.gradient?.values() == [1, 1])
  }

  @Test(arguments: [DType.float16, .float64]) func theMasterIsMadeOfWhatWasLoaded(_ dtype: DType) {
    let loaded = Tensor([1.0009765625, 2] as [Float]).to(dtype)
    let weight = Parameter(name: "w", role: .backbone, initial: loaded, dtype: .bfloat16)
    #expect(weight.value.values() == [1, 2])
    #expect(weight.unkept.values() == [1.0009765625, 2])
    #expect(weight.master.values() == [1.0009765625, 2])
    weight.assign(Tensor([3.0009765625, 4] as [Float]))
    #expect(weight.unkept.values() == [3.0009765625, 4] && weight.value.values() == [3, 4])
  }

  @Test func aLookAtTheValuesKeepsNoMaster() async {
    await #expect(processExitsWith: .success) {
      for dtype in [DType.bfloat16, .float16] {
        let weight = Parameter(name: "w", role: .backbone, initial: .ones([2], dtype: dtype), dtype: .bfloat16)
        let before = Runtime.liveHandles
        precondition(weight.unkept.values() == [1, 1])
        precondition(Runtime.liveHandles == before)
        precondition(weight.master.isIdentical(to: weight.unkept))
      }
    }
  }

  @Test func aFrozenBfloat16ParameterHasNoMasterUntilAsked() async {
    await #expect(processExitsWith: .success) {
      let weight = Parameter(
        name: "w", role: .backbone, initial: .ones([2], dtype: .bfloat16), dtype: .bfloat16)
      let before = Runtime.liveHandles
      _ = weight.value.sum()
      precondition(Runtime.liveHandles == before)
      _ = weight.master
      precondition(Runtime.liveHandles == before + 1)
      precondition(weight.master.isIdentical(to: weight.master))
    }
  }
}

@Suite struct ParameterStoreTests {
  private func scope(_ dtype: DType) -> Scope {
    let scope = freshScope(dtype: dtype)
    _ = Linear(3, 2, in: scope / "first")
    _ = Linear(2, 2, in: scope / "second")
    return scope
  }

  @Test func parametersAreFoundByNameInOrderOfCreation() {
    let store = scope(.float32).store
    #expect(store.all.map(\.name) == ["first.weight", "first.bias", "second.weight", "second.bias"])
    #expect(store["second.weight"]?.shape == [2, 2])
    #expect(store["third"] == nil)
    #expect(store.linears.count == 2)
    #expect(store.trainable.isEmpty)
  }

  @Test(arguments: [DType.float32, .bfloat16]) func snapshotsRestoreBitForBit(_ dtype: DType) {
    let store = scope(dtype).store
    let snapshot = store.snapshot()
    let masters = store.all.map { $0.master.values() }, values = store.all.map { $0.value.values() }
    for parameter in store.all { parameter.assign(.full(parameter.shape, 0.123)) }
    #expect(snapshot["first.weight"]?.values() == masters[0], "a snapshot is a copy")
    store.restore(snapshot)
    #expect(store.all.map { $0.master.values() } == masters)
    #expect(store.all.map { $0.value.values() } == values)
    #expect(Set(store.snapshot { $0.name.hasPrefix("second") }.keys) == ["second.weight", "second.bias"])
  }

  @Test(arguments: [DType.float32, .bfloat16]) func otherValuesAreReadWithinTheClosureOnly(_ dtype: DType) throws {
    let store = scope(dtype).store
    let weight = try #require(store["first.weight"]), original = weight.value, values = original.values()
    let other = ["first.weight": Tensor.full([2, 3], 1.001)]
    store.withValues(other) {
      #expect(weight.value.dtype == dtype)
      #expect(weight.value.values().allSatisfy { $0 == (dtype == .float32 ? 1.001 : 1) })
    }
    #expect(throws: Interruption.self) { try store.withValues(other) { throw Interruption() } }
    #expect(weight.value.isIdentical(to: original))
    #expect(weight.value.values() == values)
  }

  @Test func gradientsAreCleared() {
    let store = scope(.float32).store
    for parameter in store.all { parameter.isTrainable = true }
    #expect(store.trainable.count == 4)
    Tensor.concatenated(store.all.map { $0.value.reshaped(-1) }).sum().backward()
    #expect(store.all.allSatisfy { $0.gradient != nil })
    store.clearGradients()
    #expect(store.all.allSatisfy { $0.gradient == nil })
  }

  @Test func initialValuesDependOnSeedAndNameAlone() {
    func values(_ names: [String], seed: UInt64) -> [String: [Float]] {
      let scope = freshScope(seed: seed)
      for name in names { _ = Linear(4, 4, in: scope / "block" / name) }
      return scope.store.snapshot().mapValues { $0.values() }
    }
    let forward = values(["a", "b", "c"], seed: 5)
    #expect(forward == values(["c", "a", "b"], seed: 5))
    #expect(forward["block.a.weight"] != forward["block.b.weight"])
    #expect(forward["block.a.weight"] != values(["a"], seed: 6)["block.a.weight"])
    #expect(forward["block.a.weight"] == values(["a"], seed: 5)["block.a.weight"])
  }

  @Test func initializersHaveTheirDistributions() {
    let scope = freshScope()
    let normal = scope.parameter("normal", [200, 200], .normal(deviation: 0.02)).master
    #expect(abs((normal.squared().mean().item()).squareRoot() - 0.02) < 0.0005)
    let uniform = scope.parameter("uniform", [400, 100], .kaimingUniform).master.reshaped(-1)
    #expect(uniform.max(0).item() <= 0.1 && uniform.max(0).item() > 0.0999)
    #expect(uniform.min(0).item() >= -0.1 && uniform.min(0).item() < -0.0999)
    #expect(scope.parameter("ones", [2], .ones).master.values() == [1, 1])
  }

  @Test func loadedValuesTakeTheScopesDtype() {
    struct Source: WeightSource {
      func weight(_ name: String, shape: [Int]) -> Tensor? { name == "a.known" ? .full(shape, 1.001) : nil }
    }
    let scope = Scope(store: ParameterStore(), dtype: .bfloat16, device: .cpu, seed: 0, source: Source()) / "a"
    let known = scope.parameter("known", [2], .zeros)
    #expect(known.value.values() == [1, 1])
    #expect(known.master.values() == [1.001, 1.001])
    #expect(scope.parameter("unknown", [2], .zeros).master.values() == [0, 0])
    let fresh = scope.fresh(.head, seed: 0).parameter("new", [2], .zeros)
    #expect(fresh.role == .head && fresh.name == "a.new")
  }
}
