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
}
