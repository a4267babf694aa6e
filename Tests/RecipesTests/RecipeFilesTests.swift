import Foundation
import Testing

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
