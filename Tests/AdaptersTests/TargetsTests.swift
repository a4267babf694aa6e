import Adapters
import NN
import Testing
import Torch

@Suite struct TargetsTests {
  @Test func findsLayersByTheEndOfTheirName() throws {
    let store = Layers().store
    #expect(try Targets.linears(["query"], in: store).map(\.name) == ["encoder.0.query", "encoder.1.query"])
    let second = try Targets.linears(["1.query", "dense"], in: store)
    #expect(second.map(\.name) == ["encoder.1.query", "encoder.1.output.dense"])
    #expect(try Targets.linears(["all"], in: store).count == 3)
  }

  @Test func namesTheLayersThereAreWhenNothingMatches() {
    let error = #expect(throws: AdapterError.self) {
      try Targets.linears(["query", "uery", "key"], in: Layers().store)
    }
    #expect(
      error?.errorDescription
        == "no layer's name ends in 'uery' or 'key'. Set targets to the ends of some of these names, or to [all]: "
        + "encoder.*.query, encoder.*.output.dense.")
  }

  @Test func withoutTargetsTheUsualOnesAreTaken() throws {
    for (names, other) in [(["q", "v"], "k"), (["q_proj", "v_proj"], "o_proj"), (["query", "value"], "dense")] {
      let scope = Scope(store: ParameterStore(), dtype: .float32, device: .cpu, seed: 0)
      for name in names + [other] { _ = Linear(2, 2, in: scope / "block" / name) }
      #expect(try Targets.linears([], in: scope.store).map(\.name) == names.map { "block.\($0)" })
    }
  }

  @Test func aHeadThatIsTheEmbeddingsIsLeftOut() throws {
    let scope = Scope(store: ParameterStore(), dtype: .float32, device: .cpu, seed: 0)
    let words = Embedding(5, 2, in: scope / "words")
    _ = Linear(2, 2, in: scope / "q")
    _ = Linear(tiedTo: words.weight, in: scope)
    #expect(try Targets.linears(["all"], in: scope.store).map(\.name) == ["q"])
  }

  @Test func saysThatTargetsAreEmpty() {
    let error = #expect(throws: AdapterError.self) { try Targets.linears([], in: Layers().store) }
    #expect(
      error?.errorDescription
        == "targets is empty. Set targets to the ends of some of these names, or to [all]: "
        + "encoder.*.query, encoder.*.output.dense.")
  }
}
