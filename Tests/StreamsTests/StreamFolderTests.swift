import Foundation
import Testing

@testable import Streams

@Suite struct StreamFolderTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("text,label\na,yes\nb,no\n", to: "march/train.csv")
    try folder.write("text,label\nc,yes\n", to: "march/test.csv")
    try folder.write(
      #"""
      {"title": "d", "body": "e", "other": "f", "label": "no", "split": "train"}
      {"title": "g", "body": "h", "other": "i", "label": "yes", "split": "train"}
      {"title": "j", "body": "k", "other": "l", "label": "yes", "split": "test"}
      """#, to: "april.jsonl")
  }

  private func load(_ json: String) throws -> TaskStream {
    try folder.write(json, to: "stream.json")
    return try StreamLoader.load(folder.url)
  }

  private func problems(_ json: String) -> [String] { folder.problems { _ = try load(json) } }

  @Test func `a folder is a stream`() throws {
    let stream = try load(
      #"""
      {"name": "tickets", "description": "Two months.", "taskLabelAtTest": false, "sharedLabels": true,
       "experiences": [
         {"name": "march", "train": "march/train.csv", "test": "march/test.csv", "labels": ["yes", "no"]},
         {"name": "april", "file": "april.jsonl", "splitColumn": "split", "text": ["title", "body"], "pair": "other"}
      ]}
      """#)
    #expect(stream.name == "tickets")
    #expect(stream.scenario == .domainIncremental)
    #expect(stream.experiences.map(\.name) == ["march", "april"])
    #expect(stream.experiences[0].labels == ["yes", "no"])
    #expect(stream.experiences[1].labels == ["no", "yes"])
    #expect(stream.experiences[1].classes == [1, 0])
    #expect(stream.experiences[1].train.examples[0] == Example(id: "april:1", text: "d\ne", pair: "f", label: 0))
    #expect(stream.experiences[1].test.count == 1)
    #expect(stream.experiences[0].validation.isEmpty)
  }

  @Test func `the task label is given at test unless the stream says otherwise`() throws {
    let march = #"[{"name": "march", "train": "march/train.csv", "test": "march/test.csv"}]"#
    #expect(try load(#"{"name": "s", "experiences": \#(march)}"#).declaration.hasTaskLabelAtTest)
    let without = try load(#"{"name": "s", "taskLabelAtTest": false, "experiences": \#(march)}"#)
    #expect(!without.declaration.hasTaskLabelAtTest)
  }

  @Test func `unknown keys name the nearest, and all problems come together`() {
    #expect(
      problems(
        #"""
        {"nmae": "s", "taskLabelAtTest": "no", "zzzzzzzz": 1, "experiences": [
          {"name": "march", "trian": "march/train.csv", "test": "march/test.csv"},
          {"name": "april", "file": "april.jsonl", "labels": ["a", "b", "a"], "text": []},
          {"name": "april", "file": "april.jsonl", "pair": 3, "id": ""}
        ]}
        """#) == [
          "stream.json: unknown key \"nmae\"; did you mean \"name\"?",
          "stream.json: unknown key \"zzzzzzzz\"; the keys are "
            + "\"name\", \"description\", \"taskLabelAtTest\", \"sharedLabels\", \"experiences\"",
          "stream.json: no key \"name\"; add it",
          "stream.json: taskLabelAtTest: must be true or false",
          "stream.json: experiences[0]: unknown key \"trian\"; did you mean \"train\"?",
          "stream.json: experiences[0]: give either \"train\" and \"test\", or \"file\" and \"splitColumn\"",
          "stream.json: experiences[1].text: must be a string or a list of strings",
          "stream.json: experiences[1].labels: label \"a\" stands twice; name every label once",
          "stream.json: experiences[2].pair: must be a string or a list of strings",
          "stream.json: experiences[2].id: must be a string that is not empty",
          "stream.json: experiences[2]: a task named \"april\" stands above already; "
            + "give every task a name of its own",
        ])
  }

  @Test func `a prompt has a place for the text, and no place that does not exist`() throws {
    func prompts(_ prompts: String...) -> [String] {
      let tasks = prompts.enumerated().map { index, prompt in
        #"{"name": "\#(index)", "file": "april.jsonl", "text": "title", "prompt": "\#(prompt)"}"#
      }
      return problems(#"{"name": "s", "experiences": [\#(tasks.joined(separator: ", "))]}"#)
    }
    #expect(prompts("{text} so?", "{pair}: {text} {options} {\\\"a\\\": 1} {}", "{text} {text}") == [])
    #expect(
      prompts("Is it so?", "{txet}\\n{Options}", "{text} {premise} { pair }") == [
        "stream.json: experiences[0].prompt: no \"{text}\" in it, so all examples would read the same; "
          + "put it where the text belongs",
        "stream.json: experiences[1].prompt: nothing stands for \"{txet}\"; did you mean \"{text}\"?",
        "stream.json: experiences[1].prompt: nothing stands for \"{Options}\"; did you mean \"{options}\"?",
        "stream.json: experiences[1].prompt: no \"{text}\" in it, so all examples would read the same; "
          + "put it where the text belongs",
        "stream.json: experiences[2].prompt: nothing stands for \"{premise}\"; the places are "
          + "\"{text}\", \"{pair}\", \"{options}\"",
        "stream.json: experiences[2].prompt: nothing stands for \"{ pair }\"; did you mean \"{pair}\"?",
      ])
  }

  @Test func `a stream needs a list of experiences`() {
    #expect(problems(#"{"name": "s"}"#) == ["stream.json: no key \"experiences\"; add it"])
    #expect(
      problems(#"{"name": "s", "experiences": []}"#)
        == ["stream.json: experiences: the list is empty; describe at least one task"])
    #expect(
      problems(#"{"name": "s", "experiences": {}}"#) == ["stream.json: experiences: must be a list of objects"])
  }

  @Test func `a stream.json that is broken or absent is named`() throws {
    #expect(
      problems("{\"name\": ")
        == ["stream.json: not a JSON object; \"python3 -m json.tool FILE\" shows where it breaks"])
    let empty = try TemporaryFolder()
    #expect(
      empty.problems { _ = try StreamLoader.load(empty.url) } == ["stream.json: file not found; check the path"])
  }

  @Test func `problems of all files come together`() throws {
    try folder.write("text,label\nc,maybe\n", to: "march/test.csv")
    #expect(
      problems(
        #"""
        {"name": "s", "experiences": [
          {"name": "march", "train": "march/train.csv", "test": "march/test.csv"},
          {"name": "april", "file": "apirl.jsonl"}]}
        """#) == [
          "march/test.csv:2: unknown label \"maybe\"; the labels are \"no\", \"yes\": "
            + "mend it, or add it to train and to the labels",
          "apirl.jsonl: file not found; check the path",
        ])
  }
}
