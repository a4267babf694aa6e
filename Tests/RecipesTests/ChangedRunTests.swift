import Continual
import Foundation
import Testing

@testable import Recipes

/// A run whose surroundings changed since it was trained is not read for something else.
@Suite struct ChangedRunTests {
  @Test func dataThatChangedAreNotReadForTheOldLabels() throws {
    let run = try TinyRun(method: "finetune")
    try run.scratch.examples(["puma", "dog"], 24, salt: "ran on one", to: "stream/one-train.jsonl")
    try run.scratch.examples(["puma", "dog"], 8, salt: "sat in one", to: "stream/one-test.jsonl")
    let sentence =
      "the data changed since run/checkpoints/0002-00000000 was written, so its weights would be read for something else. "
      + "Restore the data, or train anew."
    let out = run.scratch.url.appendingPathComponent("out")
    #expect(run.scratch.sentence { _ = try Scores(run.folder, places: run.places) } == sentence)
    #expect(run.scratch.sentence { _ = try Predictor(run.folder, task: "one", places: run.places) } == sentence)
    #expect(run.scratch.sentence { try Export.run(run.folder, to: out, task: nil, places: run.places) } == sentence)
    #expect(!FileManager.default.fileExists(atPath: out.path))
  }

  @Test func anotherRecipeIsNotReadWithTheOldWeights() throws {
    let run = try TinyRun(method: "{lora: {rank: 4}}")
    let recipe = try String(contentsOf: run.directory.recipe, encoding: .utf8)
    try run.scratch.write(recipe.replacingOccurrences(of: "rank: 4", with: "rank: 2"), to: "run/recipe.yaml")
    #expect(
      run.scratch.sentence { _ = try Scores(run.folder, places: run.places) }.hasPrefix("the recipe changed since"))
    // How far an update moves is no part of what the model is.
    try run.scratch.write(
      recipe.replacingOccurrences(of: "learningRate: 0.001", with: "learningRate: 0.01"), to: "run/recipe.yaml")
    #expect(try Scores(run.folder, places: run.places).rows.count == 2)
  }

  @Test func anOlderModelDoesNotStandInForADamagedOne() throws {
    let run = try TinyRun()
    try run.scratch.write("x", to: "run/checkpoints/0002-00000000/weights.safetensors")
    #expect(
      run.scratch.sentence { _ = try Scores(run.folder, places: run.places) }
        == "run/checkpoints/0002-00000000 is damaged: weights.safetensors does not match the manifest. 'jay run --resume' "
        + "goes on from an older checkpoint.")
    // So it does, and to the same end.
    let matrix = try Data(contentsOf: run.directory.matrix)
    try run.runner.run(try Recipe(file: run.directory.recipe), in: run.folder, start: .resume)
    #expect(try Data(contentsOf: run.directory.matrix) == matrix)
    let rows = try Scores(run.folder, places: run.places).rows
    #expect(rows.count == 2 && rows.map(\.accuracy) == rows.map(\.recorded))
  }

  @Test func aRunWithoutCheckpointsHasNoModel() throws {
    let run = try TinyRun()
    try FileManager.default.removeItem(at: run.directory.checkpoints)
    #expect(
      run.scratch.sentence { _ = try Scores(run.folder, places: run.places) }
        == "the checkpoints of run were removed, and its model with them. Train it again: jay run run/recipe.yaml --out NEW"
    )
    let problems = try Verification(run.folder).checks.filter { $0.problem != nil }
    #expect(problems == [.init(what: "checkpoints", problem: "there are none: the results stand, the model is gone")])
  }

  @Test func aModelForEachTaskIsWrittenForOne() throws {
    let run = try TinyRun(method: "per-task"), out = run.scratch.url.appendingPathComponent("out")
    #expect(
      run.scratch.sentence { try Export.run(run.folder, to: out, task: nil, places: run.places) }
        .hasPrefix("this model is told the task when it predicts. Name one: --task one"))
    try Export.run(run.folder, to: out, task: "two", places: run.places)
    #expect(FileManager.default.fileExists(atPath: out.appendingPathComponent("model.safetensors").path))
  }

  @Test func aFinishedRunIsNotResumedAsAnother() throws {
    let run = try TinyRun()
    var recipe = try Recipe(file: run.directory.recipe)
    let before = try Data(contentsOf: run.directory.log)
    try run.runner.run(recipe, in: run.folder, start: .resume)
    recipe.training.epochs = 3
    #expect(
      run.scratch.sentence { try run.runner.run(recipe, in: run.folder, start: .resume) }
        == "run holds a finished run of another recipe. Choose another --out.")
    #expect(try Data(contentsOf: run.directory.log) == before)
  }

  @Test func resultsThatAreGoneAreWrittenAgain() throws {
    let run = try TinyRun()
    let recipe = try Recipe(file: run.directory.recipe), matrix = try Data(contentsOf: run.directory.matrix)
    try FileManager.default.removeItem(at: run.directory.matrix)
    try run.runner.run(recipe, in: run.folder, start: .resume)
    #expect(try Data(contentsOf: run.directory.matrix) == matrix)
  }

  @Test func aFolderOfSeedsTakesNoRunOfItsOwn() throws {
    let run = try TinyRun(), seeds = run.scratch.url.appendingPathComponent("seeds")
    try FileManager.default.createDirectory(at: seeds, withIntermediateDirectories: true)
    for seed in [10, 2] {
      try FileManager.default.copyItem(at: run.folder, to: seeds.appendingPathComponent("seed-\(seed)"))
    }
    #expect(RunDirectory(seeds).seeds.map(\.seed) == [2, 10])
    let recipe = try Recipe(file: run.directory.recipe)
    #expect(
      run.scratch.sentence { try run.runner.run(recipe, in: seeds, start: .new) }
        == "seeds holds runs of several seeds. Choose another --out, or go on with these: jay run --resume --out seeds")
  }

  @Test func aRefusedRunLeavesNothing() throws {
    let run = try TinyRun(), place = run.scratch.url.appendingPathComponent("deep/refused")
    var recipe = try Recipe(file: run.directory.recipe)
    recipe.model.name = "nowhere"
    #expect(throws: PlaceError.self) { try run.runner.run(recipe, in: place, start: .new) }
    #expect(!FileManager.default.fileExists(atPath: place.path))
  }
}
