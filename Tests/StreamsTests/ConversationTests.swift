import Foundation
import Testing
import Tokenizers

@testable import Streams

/// Conversations in files.
@Suite struct ConversationTests {
  private let folder: TemporaryFolder
  private let reader = DatasetReader(columns: ColumnMap(target: .conversation))

  init() throws { folder = try TemporaryFolder() }

  private func line(_ turns: [(String, String)]) -> String {
    let list = turns.map { #"{"role": "\#($0)", "content": "\#($1)"}"# }
    return #"{"messages": [\#(list.joined(separator: ", "))]}"#
  }

  @Test func everyPublishedFormIsRead() throws {
    let file = try folder.write(
      [
        line([("system", "Be kind."), ("user", "One"), ("assistant", "Two"), ("user", "Three"), ("assistant", "Four")]),
        #"{"prompt": "a", "completion": "b"}"#, #"{"instruction": "a", "input": "", "output": "b"}"#,
        #"{"instruction": "a", "input": "x", "response": "b", "system": "s"}"#,
      ].joined(separator: "\n"), to: "train.jsonl")
    let read = try reader.read(file)
    #expect(read.holdsConversations && !read.holdsDocuments)
    #expect(
      read.examples.map(\.turns) == [
        ["system: Be kind.", "user: One", "assistant: Two", "user: Three", "assistant: Four"],
        ["user: a", "assistant: b"], ["user: a", "assistant: b"], ["system: s", "user: a\n\nx", "assistant: b"],
      ])
    #expect(read.examples.map(\.answers) == [["Four"], ["b"], ["b"], ["b"]])
    #expect(read.examples[0].text == "Be kind.\nOne\nTwo\nThree" && read.examples[0].id == "train:1")
  }

  @Test func badConversationsAreNamedByLine() throws {
    let lines = [
      #"{"messages": []}"#, #"{"messages": [{"content": "x"}]}"#, line([("bot", "x")]),
      #"{"messages": [{"role": "user"}]}"#, line([("user", " ")]), line([("user", "a"), ("user", "b")]),
      line([("user", "a"), ("system", "b")]), line([("user", "a")]), #"{"messages": "x"}"#, #"{"question": "x"}"#,
      #"{"prompt": "x"}"#, #"{"prompt": "x", "completion": ""}"#, #"{"instruction": ["x"], "output": "y"}"#,
    ]
    let file = try folder.write(lines.joined(separator: "\n"), to: "c.jsonl")
    let order = "; after at most one system message user and assistant take turns: reorder or join the messages"
    #expect(
      folder.problems { _ = try reader.read(file) } == [
        "c.jsonl:1: the conversation is empty; write at least a message of the user and the assistant's answer, or remove "
          + "the line",
        #"c.jsonl:2: message 1 has no "role"; write "system", "user" or "assistant""#,
        #"c.jsonl:3: message 1 has the role "bot"; write "system", "user" or "assistant""#,
        #"c.jsonl:4: message 1 has no text as "content"; add it"#,
        "c.jsonl:5: message 1 is empty; fill it, or remove it with its answer",
        "c.jsonl:6: message 2 is the user's where the assistant's must stand\(order)",
        "c.jsonl:7: message 2 is the system's where the assistant's must stand\(order)",
        "c.jsonl:8: the conversation does not end with the assistant's message; add the answer, or remove what follows "
          + "the last one",
        #"c.jsonl:9: "messages" is no list of objects; write [{"role": "user", "content": "…"}, …]"#,
        #"c.jsonl:10: no conversation among "question"; write "messages", or "prompt" and "completion", or "instruction" "#
          + #"and "output""#,
        #"c.jsonl:11: no field "completion" among "prompt"; add it, or name another column"#,
        #"c.jsonl:12: field "completion" is empty; fill it or remove the line"#,
        #"c.jsonl:13: field "instruction" holds no string, not text; write it as a string"#,
      ])
    #expect(
      folder.problems { _ = try reader.read(try folder.write("prompt,completion\na,b\n", to: "c.csv")) } == [
        "c.csv: conversations stand in .jsonl files; write one object a line"
      ])
  }

  @Test func aStreamFileDeclaresThem() throws {
    try folder.write(#"{"prompt": "a", "completion": "b"}"#, to: "train.jsonl")
    func stream(_ keys: String) throws {
      try folder.write(
        #"{"name": "s", "experiences": [{"name": "e", "train": "train.jsonl", "test": "train.jsonl", \#(keys)}]}"#,
        to: "stream.json")
    }
    try stream(#""conversations": true, "measure": "rougeL""#)
    let experience = try StreamLoader.load(folder.url).experiences[0]
    #expect(experience.holdsConversations && experience.measure == .rougeL)
    #expect(experience.measure(by: .scored) == .rougeL && experience.measure(by: .loss) == .loss)
    #expect(experience.measured(by: nil).measure(by: .scored) == .loss)
    #expect(experience.measured(by: nil).measure(by: .exactMatch) == .exactMatch)
    try stream(#""conversations": true, "answer": "b", "measure": "best""#)
    #expect(
      folder.problems { _ = try StreamLoader.load(folder.url) } == [
        #"stream.json: experiences[0]: conversations stand in columns of their own, with no "label", "answer", "pair" or "#
          + #""documents"; remove these keys, or "conversations""#,
        #"stream.json: experiences[0].measure: unknown measure "best"; write "scored", "exactMatch", "rougeL", "#
          + #""finalNumber", "loss""#,
      ])
  }

  @Test func textsOfAListOfObjectsAreAColumn() throws {
    let file = try folder.write(#"{"text": "q", "answers": [{"text": "a", "start": 1}, {"text": "b"}]}"#, to: "l.jsonl")
    let read = try DatasetReader(columns: ColumnMap(target: .answers("answers.text"))).read(file)
    #expect(read.examples[0].answers == ["a", "b"])
  }

  @Test(.enabled(if: hasInstructions, "the data sets are not at \(dataFolder.path)"))
  func theInstructionsAreConversations() throws {
    let stream = try Instructions.stream(dataFolder.appendingPathComponent("extra"), tasks: Instructions.tasks)
    #expect(stream.experiences.map(\.name) == ["pie", "gsm8k", "xquad", "humaneval"])
    #expect(stream.experiences.map(\.train.count) == [842, 7473, 904, 0])
    #expect(stream.experiences.map(\.test.count) == [158, 1319, 286, 164])
    #expect(stream.experiences.map(\.measure) == [.loss, .finalNumber, .exactMatch, .loss])
    #expect(stream.experiences.map(\.holdsConversations) == [true, true, true, false])
    #expect(throws: StreamError.unknownExperience("pi", known: Instructions.tasks, stream: "instructions")) {
      try Instructions.stream(dataFolder.appendingPathComponent("extra"), tasks: ["pi"])
    }
  }
}

private let hasInstructions = FileManager.default.fileExists(
  atPath: dataFolder.appendingPathComponent("extra/math_gsm8k").path)
