import Continual
import Recipes
import Testing

@Suite struct ConfigurationReaderTests {
  @Test func absentAndEmptySectionsKeepTheDefaults() {
    #expect(read(ToyTraining.self, "seed: 0", at: "training") == (ToyTraining(), ""))
    #expect(read(ToyTraining.self, "training:", at: "training") == (ToyTraining(), ""))
  }

  @Test func everyKindOfValueIsRead() {
    let yaml = """
      training:
        epochs: 3
        learningRate: 1e-4
        precision: bf16
        clipNorm: 1
        decays: [0.5, .25]
        schedule: {kind: cosine}
        shuffles: no
        seed: 18446744073709551615
      """
    var expected = ToyTraining()
    expected.epochs = 3
    expected.learningRate = 1e-4
    expected.precision = .bf16
    expected.clipNorm = 1
    expected.decays = [0.5, 0.25]
    expected.schedule.kind = "cosine"
    expected.shuffles = false
    expected.seed = .max
    #expect(read(ToyTraining.self, yaml, at: "training") == (expected, ""))
  }

  @Test func nestedDefaultsAreThoseOfTheOuterSection() {
    let training = read(ToyTraining.self, "training: {schedule: {kind: cosine}}", at: "training").value
    #expect(training.schedule.warmup == 10)
  }

  @Test(arguments: [("1e-4", 1e-4), ("1E4", 1e4), ("+5", 5), ("7.", 7), (".5", 0.5), ("1_000.5", 1000.5)])
  func numbersMayBeWrittenInEveryDecimalForm(text: String, number: Double) {
    let training = read(ToyTraining.self, "training: {learningRate: \(text)}", at: "training")
    #expect(training.value.learningRate == number)
    #expect(training.mistakes == "")
  }

  @Test(arguments: ["0x1p3", "nan", ".nan", "inf", "1e999", "1,5", "'0.5'", "--1"])
  func otherFormsAreNoNumbers(text: String) {
    #expect(mistakes("learningRate: \(text)").contains("training.learningRate must be a number, but found "))
  }

  @Test func wholeNumbersMayHaveAnExponentOrZerosBehindThePoint() {
    #expect(read(ToyTraining.self, "training: {epochs: 1e3}", at: "training").value.epochs == 1000)
    #expect(read(ToyTraining.self, "training: {epochs: 8.0}", at: "training").value.epochs == 8)
  }

  @Test func infinityIsANumber() {
    #expect(read(ToyTraining.self, "training: {clipNorm: .inf}", at: "training").value.clipNorm == .infinity)
  }

  @Test func nullEmptiesAnOptional() {
    #expect(read(ToyTraining.self, "training: {clipNorm: null}", at: "training") == (ToyTraining(), ""))
  }

  @Test func wordsThatYAMLTakesForTruthValuesAreStringsWhereAStringIsAsked() {
    let stream = read(ToyStream.self, "stream: {name: on, tasks: [no, 20, 'null']}", at: "stream")
    #expect(stream.value.name == "on")
    #expect(stream.value.tasks == ["no", "20", "null"])
    #expect(stream.mistakes == "")
  }

  @Test func mappingsAndListsOfSectionsAreRead() {
    let yaml = "stream: {name: s, weights: {a: 0.1, b: 2}, parts: [{warmup: 3}, {}]}"
    let stream = read(ToyStream.self, yaml, at: "stream")
    #expect(stream.value.weights == ["a": 0.1, "b": 2])
    #expect(stream.value.parts == [ToySchedule(warmup: 3), ToySchedule()])
    #expect(stream.mistakes == "")
  }

  @Test func anchorsStandForTheirValues() {
    let yaml = "a: &rate 0.25\ntraining:\n  learningRate: *rate\n"
    #expect(read(ToyTraining.self, yaml, at: "training").value.learningRate == 0.25)
  }

  @Test func aMistakenValueKeepsItsDefaultAndTheOthersAreRead() {
    let training = read(ToyTraining.self, "training: {epochs: many, learningRate: 2}", at: "training").value
    #expect(training.epochs == 1)
    #expect(training.learningRate == 2)
  }

  @Test func aRefusedValueKeepsItsDefaultAndTheOthersAreRead() {
    let even = read(ToyEven.self, "even:\n  first: 3\n  second: 5\n", at: "even")
    #expect(even.value.first.value == 0)
    #expect(even.value.second == 5)
    #expect(even.mistakes == "recipe.yaml:2:10: even.first was refused: 3 is odd.")
  }

  @Test func keysReadElsewhereAreKnownAndMayBeRequired() throws {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    let root = try RecipeNode(yaml: "model: minilm\nstreams: {name: s}\n", into: &diagnostics)
    let stream = ConfigurationKey("stream", "the tasks in their order", required: true)
    let header = ConfigurationReader.read(ToyHeader.self, from: root, at: "", elsewhere: [stream], into: &diagnostics)
    #expect(header.model == "minilm")
    #expect(
      diagnostics.found.map(\.description) == [
        "recipe.yaml:2:1: unknown key 'streams' in the recipe. Did you mean 'stream'? Keys: model, seed, stream.",
        "recipe.yaml:1:1: missing key 'stream' in the recipe: the tasks in their order. Add 'stream: …'.",
      ])
  }

  @Test func keysThatDifferFromTheTypesAreTheAuthorsMistake() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var diagnostics = Diagnostics(file: "recipe.yaml")
      _ = ConfigurationReader.read(Misspelled.self, from: nil, at: "", into: &diagnostics)
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    let sentence = #"Misspelled.keys documents ["strenght"], but the type encodes ["strength"]. Make them the same."#
    #expect(message.contains(sentence))
  }

  private func mistakes(_ line: String) -> String {
    read(ToyTraining.self, "training:\n  \(line)\n", at: "training").mistakes
  }
}

private struct Misspelled: ConfigurationSection {
  var strength = 1.0
  static let keys = [ConfigurationKey("strenght", "of the penalty")]
}
