import Testing

@testable import Recipes

/// What a run's fingerprint is made of.
@Suite struct RecipeChangesTests {
  private func changes(_ yaml: String) throws -> String { try Recipe(yaml: yaml, name: "r.yaml").changes }

  @Test func onlyWhatIsNotByDefaultCounts() throws {
    let text = try changes(
      """
      seed: 3
      stream: {name: meadow, tasks: [mood, "in, tent"]}
      methods: [{sapt-lora: {pseudo: written, writer: {updates: 7}}}, migu]
      training: {learningRate: 2e-4, epochs: 1}
      """)
    #expect(
      text == """
        recipe: {seed: 3}
        model: {}
        stream: {tasks: ["mood", "in, tent"]}
        sapt-lora: {pseudo: "written", writer: {updates: 7}}
        migu: {}
        training: {learningRate: 0.0002}
        evaluation: {}
        """)
  }

  @Test func whatIsWrittenOutCountsAsWhatIsLeftOut() throws {
    let recipe = try Recipe(yaml: "stream: meadow\nmethods: [migu, {lora: {rank: 4}}]\n", name: "r.yaml")
    #expect(try changes(recipe.yaml()) == recipe.changes)
    #expect(try changes("stream: meadow\nmethods: [{lora: {rank: 4}}, migu]\n") != recipe.changes)
    #expect(try changes("stream: meadow\nmethods: [migu, {lora: {rank: 5}}]\n") != recipe.changes)
  }

  @Test func aKeyThatIsAddedChangesNothing() {
    let before: ConfigurationValue = .mapping(["a": .integer("1"), "b": .mapping(["c": .bool(true)])])
    let usual: ConfigurationValue = .mapping(["a": .integer("2"), "b": .mapping(["c": .bool(true)])])
    let after: ConfigurationValue = .mapping([
      "a": .integer("1"), "b": .mapping(["c": .bool(true), "d": .null]), "e": .number(1),
    ])
    let usualAfter: ConfigurationValue = .mapping(
      ["a": .integer("2"), "b": .mapping(["c": .bool(true), "d": .null]), "e": .number(1)])
    #expect(before.change(from: usual)?.line == "{a: 1}")
    #expect(after.change(from: usualAfter) == before.change(from: usual))
    #expect(usual.change(from: usual) == nil)
  }
}
