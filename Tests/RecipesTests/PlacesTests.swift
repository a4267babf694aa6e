import Foundation
import Hub
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

  @Test func aTokenizerIsAFolder() throws {
    let scratch = try Scratch()
    try scratch.write("", to: "tokenizers/own/tok512.bin")
    let folder = scratch.url.appendingPathComponent("tokenizers/own")
    let file = folder.appendingPathComponent("tok512.bin")
    #expect(try scratch.places.tokenizer(folder.path).path == folder.path)
    let error = #expect(throws: PlaceError.self) { try scratch.places.tokenizer(file.path) }
    #expect(
      error?.description
        == "model.tokenizer '\(file.path)' is a file. Name the folder that holds it, with no other tokenizer beside it."
    )
  }

  @Test func aRecipeOnMissingDataSaysWhereTheyWereLookedFor() throws {
    let scratch = try Scratch()
    let recipe = try Recipe(yaml: "model: bert-tiny\nstream: {name: cl15, order: 1}", name: "r.yaml")
    let error = #expect(throws: PlaceError.self) { try Session(recipe, places: scratch.places) }
    #expect(error?.description.hasPrefix("the data of 'cl15' are not at \(scratch.places.data.path)/cl15. ") == true)
  }

  /// A cache with one snapshot, and nothing else to ask.
  private func cached(_ scratch: Scratch, _ repository: String, _ files: [String]) throws -> Places {
    let commit = String(repeating: "a", count: 40), base = "hub/\(repository)"
    try scratch.write(commit, to: "\(base)/refs/main")
    for file in files { try scratch.write("{}", to: "\(base)/snapshots/\(commit)/\(file)") }
    var places = scratch.places
    places.hub = HubClient(HubSettings(cache: scratch.url.appendingPathComponent("hub"), isOffline: true))
    return places
  }

  @Test func aNameOnTheHubIsItsSnapshot() throws {
    let scratch = try Scratch()
    let places = try cached(scratch, "models--toy--tiny", ["config.json", "vocab.txt", "model.safetensors"])
    for name in ["toy/tiny", "hub:toy/tiny", "toy/tiny@main"] {
      #expect(try places.model(name).path.contains("/models--toy--tiny/snapshots/aaaa"))
    }
    #expect(try places.tokenizer("toy/tiny") == places.model("toy/tiny"))
    #expect(try places.model("bert-tiny").lastPathComponent == "bert-tiny")
    #expect(throws: PlaceError.self) { try places.model("tiny") }
    #expect(throws: HubError.self) { try places.model("toy/other") }
  }

  @Test func aFolderOfTheNameIsPreferredToTheHub() throws {
    let scratch = try Scratch()
    var places = try cached(scratch, "models--toy--tiny", ["config.json", "vocab.txt", "model.safetensors"])
    places.models = scratch.url.appendingPathComponent("models")
    try scratch.write("{}", to: "models/toy/tiny/config.json")
    #expect(try places.model("toy/tiny").path == scratch.url.path + "/models/toy/tiny")
  }

  @Test func aStreamOfTheHubIsItsSnapshot() throws {
    let scratch = try Scratch()
    let places = try cached(scratch, "datasets--toy--tickets", ["stream.json"])
    #expect(try places.stream("hub:toy/tickets").path.contains("/datasets--toy--tickets/snapshots/aaaa"))
    #expect(throws: HubError.self) { try places.stream("hub:toy/other") }
    #expect(try places.stream("toy/tickets").path.hasSuffix("/toy/tickets"))
  }
}
