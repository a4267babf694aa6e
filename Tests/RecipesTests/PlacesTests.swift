import Foundation
import Testing

@testable import Recipes

@Suite struct PlacesTests {
  @Test func whatIsMissingIsNamedWithTheWayOut() {
    #expect(
      "\(PlaceError.noModel("robert", models: "/models"))"
        == "there is no model 'robert': neither a folder of that path, nor in /models. Name a model directory in "
        + "Hugging Face format, or one of the Hub (owner/name, or hub:name where it has no owner), or set JAY_MODELS to the "
        + "folder of your models; './jay demo' installs minilm.")
    #expect(
      "\(PlaceError.noData("cl15", path: "/data/cl15"))"
        == "the data of 'cl15' are not at /data/cl15. Name their folder in stream.folder, or set JAY_DATA to the folder "
        + "that holds cl15.")
    #expect(
      "\(PlaceError.noDevice("cuda"))"
        == "there is no device 'cuda' here. Use device: cpu, or install a libtorch with that device (JAY_TORCH).")
  }

  @Test func aRecipeOnMissingDataSaysWhereTheyWereLookedFor() throws {
    let scratch = try Scratch()
    let recipe = try Recipe(yaml: "model: bert-tiny\nstream: {name: cl15, order: 1}", name: "r.yaml")
    let error = #expect(throws: PlaceError.self) { try Session(recipe, places: scratch.places) }
    #expect(error?.description.hasPrefix("the data of 'cl15' are not at \(scratch.places.data.path)/cl15. ") == true)
  }
}
