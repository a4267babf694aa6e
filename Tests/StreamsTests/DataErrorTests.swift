import Foundation
import Testing

@testable import Streams

@Suite struct DataErrorTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func problems(
    _ contents: String, columns: ColumnMap = ColumnMap(), labels: [String]? = nil
  ) throws -> [String] {
    let file = try folder.write(contents, to: "t.jsonl")
    return folder.problems { _ = try DatasetReader(columns: columns, labels: labels).read(file) }
  }

  @Test func `lines that are not JSON objects are named`() throws {
    #expect(
      try problems("{\"text\": \"a\", \"label\": 0}\n{\"text\": \"a\"\n[1]\n\"text\"\n") == [
        "t.jsonl:2: not a JSON object; write one object {…} on each line",
        "t.jsonl:3: not a JSON object; write one object {…} on each line",
        "t.jsonl:4: not a JSON object; write one object {…} on each line",
      ])
  }

  @Test func `a missing field names the nearest one`() throws {
    #expect(
      try problems(#"{"txet": "a", "label": 0}"#)
        == ["t.jsonl:1: no field \"text\"; the nearest is \"txet\": rename it, or name that column instead"])
    #expect(
      try problems(#"{"sentence": "a", "gold": 0}"#) == [
        "t.jsonl:1: no field \"text\" among \"gold\", \"sentence\"; add it, or name another column",
        "t.jsonl:1: no field \"label\" among \"gold\", \"sentence\"; add it, or name another column",
      ])
  }

  @Test(arguments: [
    ("7", "a number"), ("7.5", "a number"), ("null", "null"), ("true", "true or false"), ("[\"a\"]", "a list"),
    ("{\"a\": 1}", "an object"),
  ]) func `text of another kind is named`(value: String, kind: String) throws {
    #expect(
      try problems("{\"text\": \(value), \"label\": 0}")
        == ["t.jsonl:1: field \"text\" holds \(kind), not text; write it as a string"])
  }

  @Test(arguments: [("1.5", "a number"), ("null", "null"), ("true", "true or false"), ("[0]", "a list")])
  func `labels of another kind are named`(value: String, kind: String) throws {
    #expect(
      try problems("{\"text\": \"a\", \"label\": \(value)}")
        == ["t.jsonl:1: field \"label\" holds \(kind), not a label; write a string or an integer"])
  }

  @Test func `empty texts and labels are named`() throws {
    let contents = #"""
      {"text": " \n", "pair": "b", "label": 0}
      {"text": "a", "pair": "", "label": ""}
      """#
    #expect(
      try problems(contents, columns: ColumnMap(text: "text", pair: "pair")) == [
        "t.jsonl:1: field \"text\" is empty; fill it or remove the line",
        "t.jsonl:2: field \"pair\" is empty; fill it or remove the line",
        "t.jsonl:2: field \"label\" is empty; fill it or remove the line",
      ])
  }

  @Test func `labels of test that train does not have are listed with the known ones`() throws {
    let train = try folder.write("text,label\na,sports\nb,world\n", to: "train.csv")
    let test = try folder.write("text,label\nc,sport\nd,world\n", to: "test.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(train: train, test: test, name: "news") } == [
        "test.csv:2: unknown label \"sport\"; the labels are \"sports\", \"world\": "
          + "mend it, or add it to train and to the labels"
      ])
  }

  @Test func `labels that are not declared and indices out of range are unknown`() throws {
    let labels = (0..<14).map { "l\($0)" }
    #expect(
      try problems(#"{"text": "a", "label": 14}"#, labels: labels) == [
        "t.jsonl:1: unknown label \"14\"; the labels are "
          + "\"l0\", \"l1\", \"l2\", \"l3\", \"l4\", \"l5\", \"l6\", \"l7\", \"l8\", \"l9\", \"l10\", \"l11\" "
          + "and 2 more: mend it, or add it to train and to the labels"
      ])
  }

  @Test func `beside labels that are integers an integer is no index`() throws {
    #expect(
      try problems(#"{"text": "a", "label": 0}"#, labels: ["1", "2", "3"]) == [
        "t.jsonl:1: unknown label \"0\"; the labels are \"1\", \"2\", \"3\": mend it, or add it to train and to the labels"
      ])
  }

  @Test func `ids that stand twice are named with their first line`() throws {
    let contents = (1...7).map { #"{"text": "\#($0)", "label": 0, "id": \#($0 % 3)}"# }.joined(separator: "\n")
    #expect(
      try problems(contents, columns: ColumnMap(text: "text", id: "id"))
        == [
          "t.jsonl:4: id \"1\" stands on line 1 already; give every example an id of its own",
          "t.jsonl:5: id \"2\" stands on line 2 already; give every example an id of its own",
          "t.jsonl:6: id \"0\" stands on line 3 already; give every example an id of its own",
          "t.jsonl:7: id \"1\" stands on line 1 already; give every example an id of its own",
        ])
  }

  @Test func `an empty split is named`() throws {
    let train = try folder.write("text,label\na,x\n", to: "train.csv")
    let test = try folder.write("text,label\n", to: "test.csv")
    let nothing = try folder.write("", to: "nothing.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(train: train, test: test, name: "news") }
        == ["test.csv: the test split has no examples; add some"])
    #expect(
      folder.problems { _ = try DatasetReader().read(train: nothing, test: train, name: "news") }
        == ["nothing.csv: the train split has no examples; add some"])
    let all = try folder.write("text,label,split\na,x,train\nb,x,tset\n", to: "all.csv")
    #expect(
      folder.problems { _ = try DatasetReader().read(all, splitColumn: "split", name: "news") }
        == ["all.csv:3: unknown split \"tset\"; write \"train\", \"validation\" or \"test\""])
  }

  @Test func `invalid UTF-8 is named`() throws {
    let file = try folder.write(Data("{\"text\": \"".utf8) + [0xFF] + Data("\", \"label\": 0}".utf8), to: "t.jsonl")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == ["t.jsonl:1: not valid UTF-8; save the file as UTF-8"])
  }

  @Test func `files that are absent, folders or of unknown kind are named together`() throws {
    try folder.write("", to: "sub.jsonl/file")
    let test = try folder.write("", to: "test.xlsx")
    func file(_ name: String) -> URL { folder.url.appendingPathComponent(name) }
    #expect(
      folder.problems {
        _ = try DatasetReader().read(
          train: file("gone.jsonl.gz"), validation: file("sub.jsonl"), test: test, name: "news")
      } == [
        "gone.jsonl.gz: file not found; check the path",
        "sub.jsonl: this is a folder; name a .jsonl, .csv, .tsv or .txt file",
        "test.xlsx: unknown kind of file; name it .jsonl, .csv, .tsv or .txt, with .gz behind it if it is compressed",
      ])
    #expect(
      "\(DataProblem.Kind.unreadable(reason: "Permission denied"))"
        == "cannot be read (Permission denied); mend its permissions or copy it again")
  }

  @Test func `twenty problems are shown and the others counted`() throws {
    let sentences = try problems(String(repeating: "no\n", count: 57))
    #expect(sentences.count == 21)
    #expect(sentences[19] == "t.jsonl:20: not a JSON object; write one object {…} on each line")
    #expect(sentences[20] == "and 37 more problems")
  }

  @Test func `the sentences are what a user of Foundation sees too`() {
    let error = DataError(problems: [DataProblem(file: "a.csv", line: 3, kind: .notUTF8)], more: 0)
    #expect(error.localizedDescription == "a.csv:3: not valid UTF-8; save the file as UTF-8")
  }
}
