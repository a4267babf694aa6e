import Foundation
import Streams
import Testing

@testable import Recipes

@Suite struct AddedPromptTests {
  @Test func aNameLeavesThePromptAndTheMeasureOfAFolder() throws {
    let texts = try TextScratch()
    try texts.writeStream(#""answer": "label", "prompt": "Q: {text} A:", "measure": "exactMatch""#)
    let known = TaskStream(
      name: "known",
      experiences: [
        Experience(
          name: "old", train: Dataset(name: "t", labels: [], examples: []),
          test: Dataset(name: "t", labels: [], examples: []))
      ])
    for name in ["new", nil] {
      let addition = Addition(data: texts.scratch.url.appendingPathComponent("stream"), name: name)
      let added = try addition.read(behind: known, seed: 0).experiences[0]
      #expect(added.name == name ?? "one")
      #expect(added.prompt == Prompt("Q: {text} A:") && added.measure == .exactMatch)
      #expect(added.train.count == 8)
    }
  }

  @Test func filesGetThePromptThatAllTasksShare() throws {
    let scratch = try Scratch()
    let data = try scratch.examples(["cat", "dog"], 10, salt: "ran", to: "new.jsonl")
    func read(_ prompts: [String]) throws -> (experiences: [Experience], notes: [String]) {
      let experiences = prompts.enumerated().map { index, prompt in
        Experience(
          name: "\(index)", train: Dataset(name: "t", labels: ["cat", "dog"], examples: []),
          test: Dataset(name: "t", labels: ["cat", "dog"], examples: [])
        ).prompted(by: Prompt(prompt))
      }
      return try Addition(data: data, test: data).read(
        behind: TaskStream(name: "known", experiences: experiences), seed: 0)
    }
    let shared = try read(["Q: {text}", "Q: {text}"])
    #expect(shared.experiences[0].prompt == Prompt("Q: {text}"))
    #expect(shared.notes.allSatisfy { !$0.contains("prompt") })
    try Added.write(
      shared.experiences, of: TaskStream(name: "s", experiences: shared.experiences),
      to: scratch.url.appendingPathComponent("copy"))
    #expect(
      try StreamLoader.load(scratch.url.appendingPathComponent("copy")).experiences[0].prompt == Prompt("Q: {text}"))
    let different = try read(["Q: {text}", "{text}?"])
    #expect(different.experiences[0].prompt == .plain)
    #expect(
      different.notes.first
        == "the tasks so far have prompts of their own, so a model that answers in text reads the new one in the plain "
        + "form; a folder with a stream.json can give it a prompt (jay show folder)")
  }
}
