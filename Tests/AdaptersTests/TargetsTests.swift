import Adapters
import NN
import Testing

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

  @Test func saysThatTargetsAreEmpty() {
    let error = #expect(throws: AdapterError.self) { try Targets.linears([], in: Layers().store) }
    #expect(
      error?.errorDescription
        == "targets is empty. Set targets to the ends of some of these names, or to [all]: "
        + "encoder.*.query, encoder.*.output.dense.")
  }
}
