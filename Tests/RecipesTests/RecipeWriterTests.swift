import Continual
import Recipes
import Testing

@Suite struct RecipeWriterTests {
  @Test func everyKeyStandsInTheOrderOfTheKeys() {
    #expect(
      RecipeWriter.yaml(ToyTraining()) == """
        epochs: 1
        learningRate: 1.0
        precision: fp32
        clipNorm: null
        decays: [0.9, 0.999]
        schedule:
          warmup: 10
          kind: constant
        shuffles: true
        seed: 0

        """)
  }

  @Test func commentsAreTheSummaries() {
    #expect(
      RecipeWriter.yaml([.section("migu", ToyMethod())], comments: true) == """
        migu:
          threshold: 0.7  # share of rows that stay
          layers: null  # those to mask; null masks all

        """)
  }

  @Test func aWholeRecipeIsWritten() throws {
    var header = ToyHeader()
    header.model = "minilm"
    let text = RecipeWriter.yaml([
      .keys(header), .list("methods", [("migu", ToyMethod()), ("none", NoOptions())]), .list("more", []),
      .section("schedule", ToySchedule(warmup: 3)),
    ])
    #expect(
      text == """
        model: minilm
        seed: 0
        methods:
          - migu:
              threshold: 0.7
              layers: null
          - none: {}
        more: []
        schedule:
          warmup: 3
          kind: constant

        """)
    var diagnostics = Diagnostics(file: "recipe.yaml")
    let root = try RecipeNode(yaml: text, into: &diagnostics)
    let entries = ConfigurationReader.entries(from: root["methods"], at: "methods", into: &diagnostics)
    #expect(entries.map(\.name) == ["migu", "none"])
    #expect(diagnostics.found.isEmpty)
  }

  @Test func listsOfSectionsAndMappingsStandOnOneLine() {
    var stream = ToyStream()
    stream.weights = ["b": 0.1, "a b": 2]
    stream.parts = [ToySchedule(warmup: 3)]
    #expect(
      RecipeWriter.yaml(stream) == """
        name: ""
        tasks: []
        weights: {"a b": 2.0, b: 0.1}
        parts: [{warmup: 3, kind: constant}]

        """)
  }

  @Test(arguments: [
    0.1, 1e-4, 1e-7, 1.0 / 3, Double.leastNonzeroMagnitude, 1e22, .greatestFiniteMagnitude, .infinity, -0.0, 123456789,
  ])
  func numbersReadBackExactly(number: Double) {
    var training = ToyTraining()
    training.clipNorm = number
    training.seed = .max
    training.epochs = .max
    #expect(roundTrip(training) == training)
  }

  @Test(arguments: [
    "", "plain", "two words", "no", "NULL", "~", "1e3", ".inf", "- a", "a: b", "a #b", "quote\" and \\", "line\nbreak",
    "tab\t", "#", "@x", "überall 🐦", "\u{7}\u{85}\u{A0}\u{2028}\u{FEFF}", "/models/mini-lm", "'", "a\r\nb", " edge ",
    "=",
  ])
  func stringsReadBackExactly(string: String) {
    var stream = ToyStream()
    stream.name = string
    stream.tasks = [string, string]
    stream.weights = [string: 0.1]
    stream.parts = [ToySchedule(warmup: 3)]
    #expect(roundTrip(stream) == stream)
  }

  @Test func commentsDoNotChangeWhatIsRead() {
    let text = RecipeWriter.yaml([.section("it", ToyTraining())], comments: true)
    #expect(read(ToyTraining.self, text, at: "it") == (ToyTraining(), ""))
  }

  private func roundTrip<C: ConfigurationSection>(_ value: C) -> C? {
    let back = read(C.self, RecipeWriter.yaml([.section("it", value)]), at: "it")
    return back.mistakes.isEmpty ? back.value : nil
  }
}

private struct NoOptions: ConfigurationSection {
  static let keys: [ConfigurationKey] = []
}
