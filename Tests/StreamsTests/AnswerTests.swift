import Foundation
import Testing

@testable import Streams

/// Tasks whose answers are free texts.
@Suite struct AnswerTests {
  private let folder: TemporaryFolder
  private let reader: DatasetReader

  init() throws {
    folder = try TemporaryFolder()
    reader = DatasetReader(columns: ColumnMap(target: .answers("answer")))
  }

  @Test func anAnswerIsATextOrAList() throws {
    let file = try folder.write(
      """
      {"text": "a", "answer": "one"}
      {"text": "b", "answer": ["two", ""]}
      """, to: "t.jsonl")
    let read = try reader.read(file)
    #expect(read.labels.isEmpty && read.labelCounts.isEmpty)
    #expect(read.examples.map(\.answers) == [["one"], ["two", ""]])
    #expect(read.examples.map(\.label) == [-1, -1])
    #expect(read.answer(of: read.examples[1]) == "two")
    let table = try reader.read(folder.write("text,answer\na,\"one, two\"\n", to: "t.csv"))
    #expect(table.examples.map(\.answers) == [["one, two"]])
  }

  @Test func wrongAnswersAreNamed() throws {
    let file = try folder.write(
      """
      {"text": "a", "answer": []}
      {"text": "b", "answer": ""}
      {"text": ["b"], "answer": "x"}
      {"text": "b", "answer": 3}
      {"text": "b", "label": "x"}
      """, to: "t.jsonl")
    let problems = folder.problems { _ = try reader.read(file) }
    #expect(
      problems == [
        "t.jsonl:1: field \"answer\" is empty; fill it or remove the line",
        "t.jsonl:2: field \"answer\" is empty; fill it or remove the line",
        "t.jsonl:3: field \"text\" holds a list, not text; write it as a string",
        "t.jsonl:4: field \"answer\" holds a number, not text; write it as a string",
        "t.jsonl:5: no field \"answer\" among \"label\", \"text\"; add it, or name another column",
      ])
  }

  @Test func capsAndHoldoutsDrawAmongAll() throws {
    let examples = (0..<40).map { Example(id: "\($0)", text: "t\($0)", answers: ["a"]) }
    let all = Dataset(name: "x", labels: [], examples: examples)
    let stream = TaskStream(name: "s", experiences: [Experience(name: "x", train: all, test: all)])
    let held = stream.holdingOut(.fraction(0.25, atMost: 100), seed: 1).capped(Caps(train: 12, test: 7), seed: 1)
    #expect(held.experiences[0].train.count == 12)
    #expect(held.experiences[0].validation.count == 10)
    #expect(held.experiences[0].test.count == 7)
    #expect(held.experiences[0].classes.isEmpty)
  }

  @Test func aFolderMayHaveAnswersAndAPrompt() throws {
    try folder.write(
      """
      {"name": "qa", "experiences": [
        {"name": "one", "train": "a.jsonl", "test": "a.jsonl", "answer": "reply", "prompt": "Q: {text}\\nA:"}]}
      """, to: "stream.json")
    try folder.write("{\"text\": \"Why?\", \"reply\": \"So.\"}\n", to: "a.jsonl")
    let experience = try StreamLoader.load(folder.url).experiences[0]
    #expect(experience.train.examples[0].answers == ["So."])
    #expect(experience.prompt.text(of: experience.train.examples[0], labels: []) == "Q: Why?\nA:")
  }
}

@Suite(.enabled(if: hasCL15, "needs the folder cl15 in the folder of JAY_DATA"))
struct BenchmarkPromptTests {
  @Test func promptsAreThoseOfTheBenchmark() throws {
    func prompt(_ task: String) throws -> String {
      let experience = try CL15.stream(cl15Folder, tasks: [task], form: .benchmark, holdout: nil).experiences[0]
      return experience.prompt.text(
        of: Example(id: "", text: "THE TEXT", label: 0), labels: experience.labels)
    }
    #expect(
      try prompt("agnews")
        == "Task:TC\nDataset:agnews\nWhat is the topic of the following paragraph? Choose one from the option.\n"
        + "Option: World, Sports, Business, Science or Technology \nTHE TEXT\nAnswer:")
    #expect(
      try prompt("mnli")
        == "Task:NLI\nDataset:MNLI\nWhat is the logical relationship between the \"sentence 1\" and the \"sentence 2\"? "
        + "Choose one from the option.\nOption: neutral, entailment, contradiction \nTHE TEXT\nAnswer:")
    #expect(try prompt("copa") == "Task:COPA\nDataset:COPA\nTHE TEXT\nAnswer:")
  }
}

@Suite(.enabled(if: hasSuperNI15, "needs the folder superni15 in the folder of JAY_DATA"))
struct SuperNI15Tests {
  @Test func bothOrdersRead() throws {
    for order in 1...2 {
      let stream = try SuperNI15.stream(superNI15Folder, order: order, holdout: nil)
      #expect(stream.count == 15 && stream.name == "superni15-order\(order)")
      #expect(stream.experiences.allSatisfy { $0.labels.isEmpty })
    }
    let stream = try SuperNI15.stream(superNI15Folder, tasks: ["task875_emotion_classification"])
    let experience = stream.experiences[0]
    #expect((experience.train.count, experience.validation.count, experience.test.count) == (900, 100, 100))
    let prompt = experience.prompt.text(of: Example(id: "", text: "I win.", answers: ["joy"]), labels: [])
    #expect(prompt.hasPrefix("Definition: "))
    #expect(prompt.hasSuffix("\n\nNow complete the following example -\nInput: I win.\nOutput: "))
  }

  @Test func anUnknownOrderIsNamed() {
    #expect(throws: StreamError.unknownOrder(7, known: [1, 2], stream: "superni15")) {
      try SuperNI15.stream(superNI15Folder, order: 7)
    }
  }
}
