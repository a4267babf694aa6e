import Evaluation
import Foundation
import Models
import Testing
import Torch

@testable import Recipes

@Suite struct OverlapTests {
  /// A run whose experiences changed the same ten of 32 rows of one layer, and of another 20 of 64, five of which are the
  /// same.
  private func run() throws -> TinyRun {
    let run = try TinyRun()
    let start = try ModelDirectory(run.places.model("bert-tiny"))
    var tensors = start.tensors()
    for (index, experience) in try run.directory.record().matrix.experiences.enumerated() {
      let changes = [("attention.output", 0..<10), ("0.intermediate", index == 0 ? 0..<20 : 15..<35)]
      for (layer, rows) in changes {
        let name = try #require(tensors.keys.sorted().first { $0.hasSuffix("\(layer).dense.weight") })
        let weight = try #require(tensors[name]), width = weight.shape[1]
        // The last row changes too, but less than the others.
        let values = weight.values().enumerated().map { place, value in
          rows.contains(place / width) ? value + 1 : place / width == weight.shape[0] - 1 ? value + 0.1 : value
        }
        tensors[name] = Tensor(values, shape: weight.shape)
      }
      let folder = run.directory.models.appendingPathComponent(Added.folderName(experience, number: index + 1))
      try start.write(tensors, to: folder)
    }
    return run
  }

  @Test func rowsThatTwoExperiencesChangedMostAreCounted() throws {
    let run = try run()
    let overlap = try Overlap.of(run.folder, share: 0.3125, places: run.places)
    // Layers that nothing changed are left out.
    #expect(overlap.layers.map(\.kept) == [10, 20])
    #expect(overlap.layers.map(\.shared) == [[[1, 1], [1, 1]], [[1, 0.25], [0.25, 1]]])
    #expect(overlap.mean == [[1, 0.625], [0.625, 1]] && overlap.total == 0.625)
    #expect(overlap.text.contains("mean of the pairs 62.5 over 2 layers; rows drawn at random: 31.2"))
    let one = try Overlap.of(run.folder, share: 0.3125, layers: ["0.intermediate.dense"], places: run.places)
    #expect(one.total == 0.25)
  }

  @Test func whatCannotBeComparedIsSaid() throws {
    let run = try run()
    func sentence(_ layers: [String]) -> String {
      run.scratch.sentence { _ = try Overlap.of(run.folder, layers: layers, places: run.places) }
    }
    #expect(sentence(["nothing"]).hasPrefix("no layer's name ends in 'nothing'. Set --layers to the ends of some of"))
    let tooFew =
      "run has fewer than two experiences whose changes are known. Overlap is between experiences of one run, and that "
      + "of a model drawn anew begins with its second."
    // A layer that no experience changed.
    #expect(sentence(["1.output.dense"]) == tooFew)
    var recipe = try Recipe(file: run.directory.recipe)
    recipe.model.startsFresh = true
    try recipe.yaml().write(to: run.directory.recipe, atomically: true, encoding: .utf8)
    #expect(sentence([]) == tooFew)
    try FileManager.default.removeItem(at: run.directory.models)
    #expect(sentence([]) == "run has no model of after 'one'. Train it with training.keepModels: true.")
  }
}
