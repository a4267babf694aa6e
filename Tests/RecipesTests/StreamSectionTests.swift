import Continual
import Foundation
import Streams
import Testing

@testable import Recipes

/// Which keys of `stream` go together.
@Suite struct StreamSectionTests {
  private func sentence(_ stream: String) -> String {
    do {
      _ = try Recipe(yaml: "stream: \(stream)\n", name: "r.yaml")
      return ""
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    (
      "{name: folder}",
      "1:9: stream.folder was refused: it is empty. Name the folder that holds the stream.json, or hub:owner/name."
    ),
    (
      "{name: meadow, folder: x}",
      "1:32: stream.folder was refused: the stream is 'meadow', which is not read from a folder. Set stream.name: folder "
        + "for one with a stream.json, or leave folder out."
    ),
    (
      "{name: tickets, folder: x}",
      "1:33: stream.folder was refused: the stream is 'tickets', which is not read from a folder. Set stream.name: folder "
        + "for one with a stream.json, or leave folder out."
    ),
    (
      "{name: meadow, order: 3}",
      "1:31: stream.order was refused: 'meadow' has no published orders; cl15 and superni15 have. Leave order out, and "
        + "list the tasks in stream.tasks in the order that you want."
    ),
    (
      "{name: tickets, order: 1, tasks: [a]}",
      "1:32: stream.order was refused: 'tickets' has no published orders; cl15 and superni15 have. Leave order out, and "
        + "list the tasks in stream.tasks in the order that you want."
    ),
    (
      "{name: meadow, domainLabelAtTest: true}",
      "1:43: stream.domainLabelAtTest was refused: the stream is 'meadow', whose own description says whether the task is "
        + "told. Leave it out."
    ),
    (
      "{name: corpora, domainLabelAtTest: true, taskLabelAtTest: false}",
      "1:44: stream.domainLabelAtTest was refused: taskLabelAtTest: false says the opposite. Leave one of them out."
    ),
    (
      "{name: cl15, order: 6, tasks: [yelp]}",
      "1:39: stream.tasks was refused: the published order 6 names its tasks itself. Leave out tasks, or order."
    ),
  ])
  func aKeyThatTheStreamDoesNotReadIsRefused(stream: String, says: String) {
    #expect(sentence(stream) == "r.yaml:\(says)")
  }

  @Test func aFolderWithoutItsNameIsRefused() {
    #expect(sentence("{folder: d/ok}").contains("stream.folder was refused: the stream is 'meadow'"))
  }

  @Test func aStreamWithoutANameIsRefused() {
    #expect(sentence("{trainCap: 5}").hasPrefix("r.yaml:1:9: missing key 'name'"), "\(sentence("{trainCap: 5}"))")
    #expect(sentence("").contains("missing key 'name'"), "\(sentence(""))")
  }

  @Test(arguments: [
    "meadow", "{name: meadow, tasks: [mood]}", "{name: folder, folder: x, tasks: [b, a]}",
    "{name: tickets, tasks: [a]}",
    "{name: cl15, order: 1, folder: x}", "{name: superni15, tasks: [a]}", "{name: corpora, folder: x}",
    "{name: endtasks, folder: x}", "{name: instructions, folder: x}",
  ])
  func keysThatGoTogetherAreTaken(stream: String) { #expect(sentence(stream) == "") }

  @Test func tasksChooseAndOrderTheExperiencesOfAnyStream() throws {
    let run = try TinyRun()
    var recipe = try Recipe(file: run.directory.recipe)
    recipe.stream.tasks = ["two", "one"]
    // The data of the original run lie beside it.
    let stream = try recipe.stream.resolve(run.places, seed: 0, architecture: "bert")
    #expect(stream.experiences.map(\.name) == ["two", "one"])
    recipe.stream = StreamSection()
    recipe.stream.tasks = ["mood", "desk"]
    #expect(
      try recipe.stream.resolve(run.places, seed: 0, architecture: "bert").experiences.map(\.name) == ["mood", "desk"])
  }
}
