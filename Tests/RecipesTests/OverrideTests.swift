import Recipes
import Testing

private let recipe = """
  methods:
    - migu: {threshold: 0.7}
    - lora
  training: {epochs: 1}
  """

@Suite struct OverrideTests {
  @Test func aValueIsReplacedAndReadAsYAML() {
    let overrides = ["training.learningRate=1e-4", "training.epochs=3"]
    let training = read(ToyTraining.self, recipe, at: "training", set: overrides)
    #expect(training.value.learningRate == 1e-4)
    #expect(training.value.epochs == 3)
    #expect(training.mistakes == "")
  }

  @Test func theLastOverrideWins() {
    let overrides = ["training.epochs=2", "training.epochs=3"]
    #expect(read(ToyTraining.self, recipe, at: "training", set: overrides).value.epochs == 3)
  }

  @Test(arguments: ["seed: 0", "training:", "training: {schedule: }"])
  func missingSectionsAreMade(yaml: String) {
    let training = read(ToyTraining.self, yaml, at: "training", set: ["training.schedule.warmup=5"])
    #expect(training.value.schedule.warmup == 5)
    #expect(training.mistakes == "")
  }

  @Test func keysBelowANameMayBeSet() throws {
    let read = try Recipe(
      yaml: "model: minilm\nstream: cl15\n", name: "recipe.yaml",
      overrides: ["model.dropout=0", "stream.trainCap=5", "model=other", "model.pooling=cls"])
    #expect(read.model.name == "other" && read.model.pooling == "cls" && read.model.dropout == 0.1)
    #expect(read.stream.name == "cl15" && read.stream.trainCap == 5)
  }

  @Test func wholeSectionsAndListsMayBeSet() {
    let override = "training={decays: [0.1, 0.2]}"
    #expect(read(ToyTraining.self, recipe, at: "training", set: [override]).value.decays == [0.1, 0.2])
    let overrides = [override, "training.decays.1=0.5"]
    #expect(read(ToyTraining.self, recipe, at: "training", set: overrides).value.decays == [0.1, 0.5])
  }

  @Test(arguments: [
    "methods.0.threshold=0.5", "methods.migu.threshold=0.5", "methods.0.migu.threshold=0.5",
    "methods.migu={threshold: 0.5}",
  ])
  func anEntryIsCalledByNumberOrName(override: String) throws {
    let entries = try methods(override).entries
    #expect(entries.map(\.name) == ["migu", "lora"])
    #expect(entries[0].configuration?["threshold"]?.content == .scalar("0.5", isQuoted: false))
    #expect(entries[0].configuration?.entries?.count == 1)
  }

  @Test(arguments: ["methods.1.rank=4", "methods.lora.rank=4"])
  func aNameAloneGetsAConfiguration(override: String) throws {
    let entries = try methods(override).entries
    #expect(entries.map(\.name) == ["migu", "lora"])
    #expect(entries[1].configuration?["rank"]?.content == .scalar("4", isQuoted: false))
  }

  @Test func anEntryIsReplacedByANameAlone() throws {
    #expect(try methods("methods.0=ewc").entries.map(\.name) == ["ewc", "lora"])
  }

  @Test(arguments: [
    ("training.epochs", "expected key=value, such as training.epochs=2."),
    ("=2", "expected key=value, such as training.epochs=2."),
    ("training..epochs=2", "a key between the dots is empty. Write it as section.key."),
    ("training.epochs.first=2", "training.epochs is '1', not a section, so it has no key 'first'."),
    ("methods.2=ewc", "methods has 2 entries, counted from 0, so there is no entry 2."),
    ("methods.migo.threshold=1", "methods has no entry 'migo'. Did you mean 'migu'? Entries: migu, lora."),
    ("methods.ewc.strength=1", "methods has no entry 'ewc'. Entries: migu, lora."),
    (
      "training.a={b: 1, b: 2}",
      "duplicate key 'b' in training.a, first given at --set training.a={b: 1, b: 2}. Keep one of them."
    ),
    ("training.epochs=[1", "not valid YAML: did not find expected ',' or ']' while parsing a flow sequence."),
  ])
  func anOverrideWithoutAPlaceIsReported(override: String, sentence: String) throws {
    #expect(try methods(override).mistakes == ["--set \(override): \(sentence)"])
  }

  @Test func mistakesInTheValueNameTheOverride() {
    let long = String(repeating: "7", count: 70)
    #expect(
      read(ToyMethod.self, "migu: {}", at: "migu", set: ["migu.treshold=1", "migu.threshold=\(long)"]).mistakes == """
        --set migu.treshold=1: unknown key 'treshold' in migu. Did you mean 'threshold'? Keys: threshold, layers.
        --set migu.threshold=\(long.prefix(44))…: migu.threshold must be from 0 to 1, but found '\(long)'.
        """)
  }

  private func methods(_ override: String) throws -> (entries: [NamedEntry], mistakes: [String]) {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    let root = try RecipeNode(yaml: recipe, overrides: [override], into: &diagnostics)
    let entries = ConfigurationReader.entries(from: root["methods"], at: "methods", into: &diagnostics)
    return (entries, diagnostics.found.map(\.description))
  }
}
