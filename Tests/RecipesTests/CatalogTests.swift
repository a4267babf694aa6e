import Foundation
import Streams
import Testing

@testable import Recipes

@Suite struct CatalogTests {
  private let scratch: Scratch
  private let catalog: Catalog

  init() throws {
    scratch = try Scratch()
    catalog = Catalog(places: scratch.places, recipes: scratch.url.appendingPathComponent("recipes"))
  }

  @Test func everyKindIsListed() throws {
    try scratch.write("# Five tasks, one encoder\nstream: meadow\n", to: "recipes/demo.yaml")
    try scratch.write("# One of six\nstream: meadow\n", to: "recipes/six/migu.yaml")
    #expect(try catalog.items(.methods).contains { $0.name == "migu" && $0.group == "architecture" })
    let streams = ["cl15", "corpora", "endtasks", "folder", "instructions", "meadow", "superni15"]
    #expect(try catalog.items(.streams).map(\.name) == streams)
    #expect(try catalog.items(.metrics).first?.name == "acc")
    #expect(try catalog.items(.models).contains { $0.name == "bert-tiny" && $0.group == "installed" })
    #expect(try catalog.items(.recipes).map(\.summary) == ["Five tasks, one encoder", "One of six"])
    #expect(Catalog.text([]) == "none; 'jay doctor' says where Jay looks")
  }

  @Test func aMethodIsShownWithPaperNeedsAndKeys() throws {
    let page = try catalog.page("migu")
    #expect(page.facts.map(\.name) == ["family", "paper", "needs", "keeps"])
    #expect(page.facts[2].value == "to be told where an experience ends")
    let key = try #require(page.keys.first)
    #expect((key.name, key.value) == ("threshold", "0.7"))
    #expect(key.summary == "share of the rows of each layer that is masked in an update (at least 0 and below 1)")
    #expect(page.text.contains(/\n  threshold +0\.7 +share of the rows/))
  }

  @Test func aMethodIsShownWithTheRowsThatItsRecipesStandFor() throws {
    let paper = "paper: {source: \"MIGU, table 1\", row: MIGU + FT, reported: {orders 1-3: 78.8}}\n"
    try scratch.write("# Large\nstream: meadow\nmethods: [migu]\n\(paper)", to: "recipes/migu/large/migu.yaml")
    try scratch.write("# Small\nstream: meadow\nmethods: [lora, {migu: {threshold: 0.4}}]\n", to: "recipes/small.yaml")
    try scratch.write("# Neither\nstream: meadow\n", to: "recipes/plain.yaml")
    try scratch.write(
      """
      {"rows": [
        {"recipe": "small", "orders": [0], "learningRates": [1e-3], "rateChosenBy": "validation", "seeds": [0, 1, 2],
         "accuracy": {"mean": 61.234, "deviation": 1.5}, "changed": []},
        {"recipe": "other", "orders": [0], "learningRates": [], "rateChosenBy": "single", "seeds": [0], "changed": []}]}
      """, to: "recipes/figures.json")
    let page = try catalog.page("migu")
    #expect(page.recipes.map(\.row) == ["", "MIGU + FT"])
    #expect(page.recipes.map(\.here.count) == [1, 0])
    #expect(page.text.contains("small.yaml"))
    #expect(page.text.contains("61.2 ± 1.5; 3 seeds, rate 0.001\n"))
    #expect(page.text.hasSuffix("MIGU, table 1  MIGU + FT  orders 1-3 78.8  not run here"))
    #expect(try catalog.page("finetune").recipes.map { $0.recipe.hasSuffix("plain.yaml") } == [true])
    #expect(try catalog.page("lora").recipes.count == 1)
    #expect(try Output.json(page).contains("\"reported\" : {"))
    #expect(try catalog.items(.recipes).map(\.group) == ["recipe", "recipe", "MIGU, table 1: MIGU + FT"])
  }

  @Test func everyNameThatIsListedIsShown() throws {
    for kind in [Catalog.Kind.methods, .streams, .metrics, .models] {
      for item in try catalog.items(kind) { #expect(try catalog.page(item.name).name == item.name) }
    }
  }

  @Test func aRecipeIsShownWithEveryKey() throws {
    let keys = try catalog.page("recipe").keys.map(\.name)
    #expect(keys.first == "seed")
    for key in ["model.pooling", "stream.trainCap", "training.learningRate", "evaluation.future"] {
      #expect(keys.contains(key))
    }
  }

  @Test func theKeysOfAStreamFileAreShown() throws {
    let page = try catalog.page("folder")
    #expect(page.keys.map(\.name).prefix(6).suffix(2) == ["experiences", "experiences[].name"])
    #expect(page.text.contains(/\n  taskLabelAtTest +true +whether predictions/))
    #expect(page.text.contains(#"{text}\n{pair}\nOptions: {options}\nAnswer:"#))
    // Every key that is shown is known to the reader, and the example is one.
    let example = try #require(page.facts.last?.value)
    try scratch.write(example, to: "s/stream.json")
    for name in ["march", "march-test"] { try scratch.write("text,label\na,x\n", to: "s/\(name).csv") }
    #expect(try StreamLoader.load(scratch.url.appendingPathComponent("s")).name == "tickets")
    #expect(page.keys.count == StreamFileKey.stream.count + StreamFileKey.experience.count)
  }

  @Test func anUnknownNameGetsTheNearest() {
    #expect(
      scratch.sentence { _ = try catalog.page("migo") } == """
        nothing is named 'migo'. Did you mean 'migu'? All names: jay list methods, jay list streams, jay list models, \
        jay list metrics; 'jay show recipe' shows the keys of a recipe.
        """)
  }

  @Test func theDoctorSaysWhatToMend() throws {
    let healthy = Doctor(places: scratch.places, recipes: scratch.url)
    #expect(healthy.checks.first { $0.what == "models" }?.found.contains("bert-tiny") == true)
    #expect(healthy.isHealthy)
    #expect(healthy.text.hasSuffix("Ready: jay demo"))
    var places = scratch.places
    places.models = scratch.url.appendingPathComponent("nowhere")
    let ill = Doctor(places: places, recipes: scratch.url)
    #expect(!ill.isHealthy)
    #expect(ill.text.contains("'Tools/setup' fetches minilm; or set JAY_MODELS to a folder of model directories"))
    #expect(ill.text.hasSuffix("Something that runs need is missing."))
  }
}
