import Recipes
import Testing

@Suite struct RecipeNodeTests {
  @Test func keysAndValuesKnowTheirPlaces() throws {
    let root = try parse("# a recipe\nmodel: minilm\ntraining:\n  epochs: 2\n").root
    let training = try #require(root["training"]?.entries)
    #expect(root["model"]?.origin == .position(file: "recipe.yaml", line: 2, column: 8))
    #expect(training[0].origin == .position(file: "recipe.yaml", line: 4, column: 3))
    #expect(training[0].value.origin == .position(file: "recipe.yaml", line: 4, column: 11))
  }

  @Test(arguments: ["", "\n# nothing yet\n", "---\n", "null"])
  func emptyDocument(yaml: String) throws {
    let sentence = "recipe.yaml: the recipe is empty. Write at least 'model:', 'stream:' and 'methods:'."
    #expect(try parse(yaml).mistakes == [sentence])
  }

  @Test func documentThatIsAList() throws {
    #expect(
      try parse("- model\n").mistakes == ["recipe.yaml:1:1: the recipe must be keys with values, but found a list."])
  }

  @Test(arguments: [
    ("a: [1, 2\nb: 3\n", "2:2: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence."),
    ("a:\n\tb: 1\n", "2:1: not valid YAML: a tab stands here. Indent with spaces."),
    ("a: 1\n  b: 2\n", "2:4: not valid YAML: mapping values are not allowed in this context."),
    ("a: 1\n---\nb: 2\n", "2:1: not valid YAML: expected a single document in the stream but found another document."),
    ("a: 1\nb: *none\n", "2:4: not valid YAML: found undefined alias."),
    ("a: 1\nb: \u{1}\n", "2:4: not valid YAML: control characters are not allowed."),
    ("*a : 1\n", "1:1: not valid YAML: found undefined alias."),
    ("? [a]\n: 1\n", "1:3: not valid YAML: a key must be a name, not a list or mapping."),
    ("\"a\\x41\": 1\naA: 2\n", "1:1: not valid YAML: the key 'aA' stands twice in one mapping."),
  ])
  func textThatIsNotYAML(yaml: String, sentence: String) {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    _ = try? RecipeNode(yaml: yaml, into: &diagnostics)
    #expect(diagnostics.found.map(\.description) == ["recipe.yaml:\(sentence)"])
  }

  @Test func aliasesThatMultiplyAreStopped() throws {
    let levels = (1...12).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]\n" }
    let mistakes = try parse("a0: &a0 x\n" + levels.joined()).mistakes
    #expect(mistakes.count == 1)
    #expect(mistakes[0].hasSuffix("not valid YAML: with its aliases followed, the recipe has more than 100000 values."))
  }

  @Test func textThatIsNotYAMLIsThrownAtOnce() {
    #expect(throws: RecipeError.self) { try parse("a: [") }
  }

  @Test func everyDuplicateKeyIsReportedAndTheFirstIsKept() throws {
    let yaml = "a: 1\n\"b\": {c: 1, c: 2}\na: 2\nb: 3\na: 4\n"
    let (root, mistakes) = try parse(yaml)
    #expect(
      mistakes == [
        "recipe.yaml:2:13: duplicate key 'c' in b, first given at recipe.yaml:2:7. Keep one of them.",
        "recipe.yaml:3:1: duplicate key 'a' in the recipe, first given at recipe.yaml:1:1. Keep one of them.",
        "recipe.yaml:4:1: duplicate key 'b' in the recipe, first given at recipe.yaml:2:1. Keep one of them.",
        "recipe.yaml:5:1: duplicate key 'a' in the recipe, first given at recipe.yaml:1:1. Keep one of them.",
      ])
    #expect(root.entries?.map(\.key) == ["a", "b"])
    #expect(root["a"]?.content == .scalar("1", isQuoted: false))
  }

  @Test func entriesAreNamesOrNamesWithAConfiguration() throws {
    let (entries, mistakes) = try entries("methods:\n  - migu: {threshold: 0.5}\n  - lora\n  - a: 1\n    b: 2\n  -\n")
    #expect(entries.map(\.name) == ["migu", "lora"])
    #expect(entries.map(\.path) == ["methods.migu", "methods.lora"])
    #expect(entries[0].configuration?["threshold"]?.content == .scalar("0.5", isQuoted: false))
    #expect(entries[1].configuration == nil)
    #expect(entries[1].origin == .position(file: "recipe.yaml", line: 3, column: 5))
    #expect(
      mistakes == [
        "recipe.yaml:4:5: methods.2 must be a name or one 'name: {…}', but found a mapping with the keys a, b.",
        "recipe.yaml:6:4: methods.3 must be a name or one 'name: {…}', but found nothing.",
      ])
  }

  @Test func oneEntryMayStandWithoutTheList() throws {
    #expect(try entries("methods: migu\n").entries.map(\.name) == ["migu"])
    #expect(try entries("methods: {migu: {}}\n").entries.map(\.name) == ["migu"])
  }

  private func entries(_ yaml: String) throws -> (entries: [NamedEntry], mistakes: [String]) {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    let root = try RecipeNode(yaml: yaml, into: &diagnostics)
    let entries = ConfigurationReader.entries(from: root["methods"], at: "methods", into: &diagnostics)
    return (entries, diagnostics.found.map(\.description))
  }

  @discardableResult
  private func parse(_ yaml: String) throws -> (root: RecipeNode, mistakes: [String]) {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    let root = try RecipeNode(yaml: yaml, into: &diagnostics)
    return (root, diagnostics.found.map(\.description))
  }
}
