import Continual
import Recipes
import Testing

@Suite struct WholeRecipeTests {
  private let recipe = """
    model: minilm                    # a name or a model directory
    stream: {name: cl15, tasks: [agnews, rte]}
    methods:
      - migu: {threshold: 0.7}
      - lora                         # a name alone takes all defaults
    training: {epochs: 1, learningRate: 1e-4, precision: bf16}
    seed: 0

    """

  @Test func aSoundRecipeIsReadAndReadsTheSameWhenWrittenOut() throws {
    let first = try read(recipe)
    #expect(first.header.model == "minilm")
    #expect(first.stream.tasks == ["agnews", "rte"])
    #expect(first.methods.map(\.name) == ["migu", "lora"])
    #expect(first.training.learningRate == 1e-4)
    let text = first.yaml
    #expect(try read(text).yaml == text)
    #expect(try read(recipe.replacing("\n", with: "\r\n")).yaml == text)
  }

  @Test func allMistakesOfAllSectionsComeInOneError() {
    let mistaken =
      recipe
      .replacing("threshold: 0.7", with: "treshold: 0.7")
      .replacing("- lora", with: "- loro")
      .replacing("epochs: 1", with: "epochs: 0")
      .replacing("model:", with: "modle:") + "seed: 1\n"
    #expect {
      try read(mistaken, set: ["stream.name=null", "training.decay=1"])
    } throws: { error in
      "\(error)" == """
        recipe.yaml:1:1: unknown key 'modle' in the recipe. Did you mean 'model'? Keys: model, seed, stream, \
        methods, training.
        recipe.yaml:1:1: missing key 'model' in the recipe: a name or a model directory. Add 'model: …'.
        recipe.yaml:4:12: unknown key 'treshold' in methods.migu. Did you mean 'threshold'? Keys: threshold, layers.
        recipe.yaml:5:5: unknown method 'loro'. Did you mean 'lora'? All: jay list methods.
        recipe.yaml:6:20: training.epochs must be at least 1, but found '0'.
        recipe.yaml:8:1: duplicate key 'seed' in the recipe, first given at recipe.yaml:7:1. Keep one of them.
        --set stream.name=null: stream.name must be a string, but found 'null'.
        --set training.decay=1: unknown key 'decay' in training. Did you mean 'decays'? Keys: epochs, learningRate, \
        precision, clipNorm, decays, schedule, shuffles, seed.
        """
    }
  }

  private struct Whole {
    let header: ToyHeader
    let stream: ToyStream
    let methods: [(name: String, configuration: any ConfigurationSection)]
    let training: ToyTraining

    var yaml: String {
      RecipeWriter.yaml([
        .keys(header), .section("stream", stream), .list("methods", methods), .section("training", training),
      ])
    }
  }

  private func read(_ yaml: String, set overrides: [String] = []) throws(RecipeError) -> Whole {
    var diagnostics = Diagnostics(file: "recipe.yaml")
    let root = try RecipeNode(yaml: yaml, overrides: overrides, into: &diagnostics)
    let sections = ["stream", "methods", "training"].map { ConfigurationKey($0, "a section") }
    let header = ConfigurationReader.read(ToyHeader.self, from: root, at: "", elsewhere: sections, into: &diagnostics)
    let stream = ConfigurationReader.read(ToyStream.self, from: root["stream"], at: "stream", into: &diagnostics)
    let training = ConfigurationReader.read(
      ToyTraining.self, from: root["training"], at: "training", into: &diagnostics)
    let types: [String: any ConfigurationSection.Type] = ["migu": ToyMethod.self, "lora": ToySchedule.self]
    var methods: [(name: String, configuration: any ConfigurationSection)] = []
    for entry in ConfigurationReader.entries(from: root["methods"], at: "methods", into: &diagnostics) {
      guard let type = types[entry.name] else {
        let known = types.keys.sorted()
        diagnostics.add(
          .unknownName(entry.name, kind: "method", known: known, listing: "jay list methods"), at: entry.origin)
        continue
      }
      let node = entry.configuration
      methods.append((entry.name, ConfigurationReader.read(type, from: node, at: entry.path, into: &diagnostics)))
    }
    try diagnostics.throwIfAny()
    return Whole(header: header, stream: stream, methods: methods, training: training)
  }
}
