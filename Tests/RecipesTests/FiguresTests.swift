import Continual
import Evaluation
import Foundation
import Testing

@testable import Recipes

@Suite struct FiguresTests {
  private let scratch: Scratch
  private var folder: URL { scratch.url.appendingPathComponent("recipes") }
  private static func text(_ methods: String, order: Int = 1, seed: Int = 0, rate: String = "1e-4") -> String {
    """
    model: minilm
    stream: {name: cl15, order: \(order)}
    methods: [\(methods)]
    training: {learningRate: \(rate), batchSize: 4}
    seed: \(seed)

    """
  }

  init() throws {
    scratch = try Scratch()
    try scratch.write(Self.text("finetune"), to: "recipes/finetune.yaml")
    try scratch.write(Self.text("migu"), to: "recipes/migu.yaml")
    try scratch.write(Self.text("{migu: {threshold: 0.5}}"), to: "recipes/migu-half.yaml")
  }

  private func run(
    _ methods: String, order: Int = 1, seed: Int = 0, last: Double, at id: String = "a/b", rate: String = "1e-4"
  ) throws -> RunRecord {
    let recipe = try Recipe(yaml: Self.text(methods, order: order, seed: seed, rate: rate), name: "run")
    let names = order == 1 ? ["one", "two"] : ["two", "one"]
    var run = RunRecord(
      id: id, methods: recipe.methodNames, seed: seed, stream: "cl15",
      matrix: AccuracyMatrix(experiences: names, rows: [[80, nil], [last, last]]))
    (run.variant, run.recipe, run.learningRate) = (recipe.variant, recipe.yaml(), recipe.training.learningRate)
    run.validation = run.matrix
    return run
  }

  @Test func aRunBelongsToTheRecipeOfItsSettings() throws {
    let runs = try [
      run("migu", seed: 0, last: 60), run("migu", seed: 1, last: 62), run("{migu: {threshold: 0.5}}", last: 50),
      run("migu", seed: 0, last: 10, rate: "1e-3"),
    ]
    let (figures, notes) = try Figures.make(runs, recipes: folder)
    #expect(notes.isEmpty)
    #expect(figures.rows.map(\.recipe) == ["migu", "migu-half"])
    let migu = figures.rows[0]
    #expect((migu.orders, migu.learningRates, migu.seeds, migu.changed) == ([1], [1e-4], [0, 1], []))
    #expect((migu.accuracy?.mean, migu.accuracy?.deviation) == (61, 1.414))
    #expect((migu.forgetting?.mean, migu.learningAccuracy?.mean, migu.loss?.mean) == (19, 70.5, nil))
    #expect(migu.rateChosenBy == .validation)
    #expect(migu.text() == "order 1 61.0 ± 1.4; 2 seeds, rate 0.0001")
  }

  @Test func severalOrdersAreOneMeanAndTheirOwnRows() throws {
    let runs = try [(1, 0, 60.0), (1, 1, 62), (2, 0, 70), (2, 1, 74), (2, 2, 99)].map { order, seed, last in
      try run("migu", order: order, seed: seed, last: last)
    }
    let rows = try Figures.make(runs, recipes: folder).figures.rows(of: "migu")
    #expect(rows.map(\.orders) == [[1, 2], [1], [2]])
    // Seed 2 has one of the orders alone: 65 and 68 are left.
    #expect((rows[0].seeds, rows[0].accuracy?.mean, rows[0].accuracy?.deviation) == ([0, 1], 66.5, 2.121))
    #expect(rows[2].accuracy?.mean == 81)
    #expect(rows[0].text(singles: Array(rows[1...])) == "orders 1, 2 66.5 ± 2.1 (61.0 81.0); 2 seeds, rate 0.0001")
  }

  @Test func aRunWithOtherSettingsBelongsToTheRecipeInItsPath() throws {
    let changed = Self.text("migu").replacingOccurrences(of: "batchSize: 4", with: "batchSize: 16")
    var other = try run("migu", last: 60, at: "sweep/migu/rate-1e-4/seed-0")
    other.recipe = try Recipe(yaml: changed, name: "run").yaml()
    var stranger = other
    stranger.id = "elsewhere/x"
    let (figures, notes) = try Figures.make([other, stranger], recipes: folder)
    #expect(figures.rows.map(\.changed) == [["batchSize 16"]])
    #expect(figures.rows[0].text().hasSuffix("; with batchSize 16"))
    #expect(notes == ["left out of the figures, no recipe in \(folder.relativePath) is like it: elsewhere/x"])
  }

  @Test func unfinishedRunsCountNot() throws {
    var half = try run("migu", last: 60)
    half.matrix = AccuracyMatrix(experiences: ["one", "two"], rows: [[80, nil]])
    #expect(throws: FiguresError.noMatch(folder: folder.relativePath)) { try Figures.make([half], recipes: folder) }
  }

  @Test func rowsOfOtherRecipesStay() throws {
    let first = try Figures.make([run("finetune", last: 50), run("migu", last: 60)], recipes: folder).figures
    let second = try Figures.make([run("migu", last: 61)], recipes: folder).figures
    let both = second.keeping(first, recipes: ["finetune", "migu"])
    #expect(both.rows.map(\.accuracy?.mean) == [50, 61])
    #expect(second.keeping(first, recipes: ["migu"]).rows.map(\.recipe) == ["migu"])
  }

  @Test func aComparisonWritesThemBesideTheRecipes() throws {
    let tiny = try TinyRun()
    let file = tiny.scratch.url.appendingPathComponent("recipes/figures.json")
    let comparison = try Comparison([tiny.folder])
    #expect(
      tiny.scratch.sentence { _ = try comparison.writeFigures(to: file) } == """
        there is no recipe in recipes. Figures stand beside the recipes of their runs: --figures \
        Recipes/FOLDER/figures.json
        """)
    try tiny.scratch.write(try String(contentsOf: tiny.directory.recipe, encoding: .utf8), to: "recipes/tiny.yaml")
    #expect(try comparison.writeFigures(to: file).isEmpty)
    let text = try String(contentsOf: file, encoding: .utf8)
    _ = try comparison.writeFigures(to: file)
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
    let rows = Figures.beside(file.deletingLastPathComponent()).rows(of: "tiny")
    #expect(rows.count == 1 && rows[0].accuracy != nil && rows[0].seeds == [0])
    #expect(
      "\(FiguresError.noMatch(folder: "Recipes/a"))" == """
        no finished run is of a recipe in Recipes/a. Name the folder of their recipes: --figures \
        Recipes/FOLDER/figures.json
        """)
  }
}
