import Continual
import Foundation
import Streams
import Testing
import Tokenizers

@testable import Recipes

/// The recipes and tools that come with Jay.
@Suite struct RecipeFilesTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let recipes = root.appendingPathComponent("Recipes")
  static let files: [String] =
    (FileManager.default.enumerator(atPath: recipes.path)?.compactMap { $0 as? String } ?? [])
    .filter { $0.hasSuffix(".yaml") }.sorted()

  @Test func thereAreRecipes() { #expect(Self.files.count > 80) }

  @Test(arguments: files) func everyRecipeIsReadWhole(name: String) throws {
    let file = Self.recipes.appendingPathComponent(name)
    let recipe = try Recipe(file: file)
    #expect(try Recipe(yaml: recipe.yaml(), name: name).yaml() == recipe.yaml())
    let outline = try #require(RecipeOutline(file))
    #expect(outline.methods == recipe.methodNames)
    #expect(outline.paper == recipe.paper)
    #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("# "), "a first line that says what it is")
  }

  /// What a run asks when it has loaded model and data, asked without either.
  @Test(arguments: files) func theMethodsFitTheModelAndTheStream(name: String) throws {
    let recipe = try Recipe(file: Self.recipes.appendingPathComponent(name))
    let stream = try #require(Self.stream(of: recipe), "say in this test what \(recipe.stream.name) holds")
    let type = try #require(try Self.modelType(recipe.model.name), "say in this test what \(recipe.model.name) is")
    try Compatibility.check(recipe, stream, architecture: type)
  }

  @Test func aRecipeThatCouldNotRunIsFound() throws {
    let recipe = try Recipe(yaml: "model: t5-mini\nstream: {name: cl15, order: 1}\nmethods: [probe]\n", name: "r.yaml")
    let stream = try #require(Self.stream(of: recipe)), type = try #require(try Self.modelType("t5-mini"))
    #expect(throws: CompatibilityError.needsHeads(method: "probe", architecture: "t5")) {
      try Compatibility.check(recipe, stream, architecture: type)
    }
  }

  @Test func domainsAreToldWhereTheRecipeSaysSo() throws {
    let recipe = try Recipe(
      yaml: "model: minilm\nstream: corpora\nmethods: [hat]\ntraining: {objective: masked}\n", name: "r")
    let stream = try #require(Self.stream(of: recipe))
    do {
      try Compatibility.check(recipe, stream, architecture: "bert")
      Issue.record("it passed")
    } catch {
      #expect(
        "\(error)"
          == "'hat' must be told the task when it predicts, but the stream 'corpora' is domain-incremental: it gives no task "
          + "label at test time. Set stream.domainLabelAtTest: true, or choose another method (jay list methods).")
    }
  }

  /// `model_type` of the models that recipes name; that of a folder stands in it.
  private static func modelType(_ name: String) throws -> String? {
    let known = [
      "minilm": "bert", "minilm-mlm": "bert", "FacebookAI/roberta-base": "roberta", "t5-mini": "t5",
      "google-t5/t5-large": "t5", "llama-mini": "llama", "meta-llama/Llama-2-7b-hf": "llama",
    ]
    if let type = known[name] { return type }
    let file = root.appendingPathComponent(name).appendingPathComponent("config.json")
    guard let data = FileManager.default.contents(atPath: file.path) else { return nil }
    return (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["model_type"] as? String
  }

  /// Two experiences of the kind that the recipe's stream holds, of one example a split.
  private static func stream(of recipe: Recipe) -> TaskStream? {
    let name = recipe.stream.name
    let isClassified = ["cl15", "endtasks", "meadow"].contains(name)
    let example: Example
    switch name {
    case "cl15", "endtasks", "meadow": example = Example(id: "0", text: "text", label: 0)
    case "superni15": example = Example(id: "0", text: "text", answers: ["answer"])
    // The only folder is one of conversations.
    case "instructions", "folder":
      example = Example(id: "0", conversation: [.init(.user, "question"), .init(.assistant, "answer")])
    case "corpora": example = Example(id: "0", document: "text")
    default: return nil
    }
    let data = Dataset(name: name, labels: isClassified ? ["yes", "no"] : [], examples: [example])
    return TaskStream(
      name: name,
      declaration: StreamDeclaration(
        hasTaskLabelAtTest: name == "corpora" ? recipe.stream.domainLabelAtTest : recipe.stream.taskLabelAtTest),
      experiences: ["one", "two"].map { Experience(name: $0, train: data, test: data) })
  }

  /// The smallest of the domains gives four updates a pass.
  @Test(arguments: files.filter { $0.contains("roberta-base") && !$0.contains("endtasks") })
  func updatesAndNotPassesEndADomain(name: String) throws {
    let training = try Recipe(file: Self.recipes.appendingPathComponent(name)).training
    #expect(training.maxUpdates > 0 && 4 * training.epochs >= training.maxUpdates)
  }

  @Test func noTwoRecipesOfAFolderAreTheSameRun() throws {
    for (folder, names) in Dictionary(grouping: Self.files, by: { ($0 as NSString).deletingLastPathComponent }) {
      let texts = try names.map { try Recipe(file: Self.recipes.appendingPathComponent($0)).resumable.yaml() }
      #expect(Set(texts).count == names.count, "\(folder)")
    }
  }

  @Test func allRecipesAreListedWithTheirRow() throws {
    let catalog = Catalog(places: try Scratch().places, recipes: Self.recipes)
    let items = try catalog.items(.recipes)
    #expect(items.count == Self.files.count)
    let migu = try #require(items.first { $0.name.hasSuffix("migu/t5-large/migu.yaml") })
    #expect(migu.group == "MIGU, table 1: MIGU + FT")
    #expect(items.first { $0.name.hasSuffix("cl15-six/migu.yaml") }?.group == "recipe")
    let tuned = try #require(items.first { $0.name.hasSuffix("instruct/llama2-7b-lora-migu.yaml") })
    #expect(tuned.group == "MIGU, instruction tuning: MIGU + LoRA")
  }

  @Test func aSweepsPathsNameTheOrderWhereOrdersAreGiven() throws {
    let folder = try Scratch()
    try folder.write("stream: meadow\nmethods: [{lora: {rank: 4}}, migu]\n", to: "lora.yaml")
    try folder.write("stream: meadow\nmethods: [migu]\n", to: "migu.yaml")
    try folder.write("stream: meadow\n", to: "endtasks.yaml")
    let given = ["SEEDS": "7", "RATES": "1e-5", "ADAPTER_RATES": "1e-3"]
    let set = { (rate: String) in "--set training.learningRate=\(rate) --set seed=7" }
    #expect(
      try sweep(folder.url, given) == [
        "lora.yaml out/lora/rate-1e-3/seed-7 \(set("1e-3"))", "migu.yaml out/migu/rate-1e-5/seed-7 \(set("1e-5"))",
      ])
    let orders = given.merging(["ORDERS": "2 3", "ONLY": "migu"]) { $1 }
    #expect(
      try sweep(folder.url, orders)
        == [2, 3].map {
          "migu.yaml out/migu/order-\($0)/rate-1e-5/seed-7 \(set("1e-5")) --set stream.order=\($0)"
        })
  }

  /// The runs that `Tools/sweep` would start for a folder.
  private func sweep(_ folder: URL, _ variables: [String: String]) throws -> [String] {
    let process = Process(), output = Pipe()
    process.executableURL = Self.root.appendingPathComponent("Tools/sweep")
    process.arguments = [folder.path, "out"]
    process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }.merging(["DRY_RUN": "1"]) { $1 }
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.replacingOccurrences(of: folder.path + "/", with: "").split(separator: "\n").map(String.init)
  }
}
