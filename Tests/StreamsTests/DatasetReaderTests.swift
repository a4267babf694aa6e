import Foundation
import Testing

@testable import Streams

@Suite struct DatasetReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `JSON lines give texts, pairs, labels and ids`() throws {
    let file = try folder.write(
      """
      {"a": "First", "b": "second \\u00e9\\n", "y": "dog", "key": 7}
      {"y": "cat", "key": "k", "b": "zwei", "a": "Eins", "more": [1, {"x": null}]}
      """, to: "train.jsonl")
    let columns = ColumnMap(text: "a", pair: "b", target: .label("y"), id: "key")
    let read = try DatasetReader(columns: columns).read(file)
    #expect(read.name == "train")
    #expect(read.labels == ["cat", "dog"])
    #expect(
      read.examples == [
        Example(id: "7", text: "First", pair: "second é\n", label: 1),
        Example(id: "k", text: "Eins", pair: "zwei", label: 0),
      ])
  }

  @Test func `line ends, blank lines and a byte order mark are no part of the data`() throws {
    let contents = "\u{FEFF}{\"text\": \"a\", \"label\": \"x\"}\r\n\r\n  \n{\"text\": \"b\", \"label\": \"x\"}\r\n"
    let read = try DatasetReader().read(folder.write(contents, to: "t.jsonl"))
    #expect(read.examples.map(\.id) == ["t:1", "t:4"])
    #expect(read.examples.map(\.text) == ["a", "b"])
  }

  @Test func `a column may lie in an inner object, or have a dot in its name`() throws {
    let file = try folder.write(
      #"{"in": {"ner": {"text": "deep"}}, "in.label": "x", "label": "y"}"#, to: "t.jsonl")
    let read = try DatasetReader(columns: ColumnMap(text: "in.ner.text", target: .label("in.label"))).read(file)
    #expect(read.examples.map(\.text) == ["deep"])
    #expect(read.labels == ["x"])
  }

  @Test func `several columns make one text`() throws {
    let file = try folder.write("title,body,label\nNews,It rains,x\n", to: "t.csv")
    let read = try DatasetReader(columns: ColumnMap(text: ["title", "body"])).read(file)
    #expect(read.examples.map(\.text) == ["News\nIt rains"])
  }

  @Test func `labels are sorted as numbers if all are integers, else as text`() throws {
    let numbers = try folder.write("text,label\na,10\nb,9\nc,-1\n", to: "n.csv")
    #expect(try DatasetReader().read(numbers).labels == ["-1", "9", "10"])
    let mixed = try folder.write("text,label\na,10\nb,9\nc,é\nd,Z\ne,a\n", to: "m.csv")
    #expect(try DatasetReader().read(mixed).labels == ["10", "9", "Z", "a", "é"])
  }

  @Test func `declared labels keep their order, and integers are indices where they are no names`() throws {
    let file = try folder.write(
      #"""
      {"text": "a", "label": 1}
      {"text": "b", "label": "no"}
      {"text": "c", "label": "0"}
      """#, to: "t.jsonl")
    #expect(try DatasetReader(labels: ["yes", "no"]).read(file).examples.map(\.label) == [1, 1, 0])
    let stars = try folder.write("text,label\na,1\nb,3\n", to: "t.csv")
    #expect(try DatasetReader(labels: ["1", "2", "3"]).read(stars).examples.map(\.label) == [0, 2])
  }

  @Test func `labels that mean no gold label are left out and counted, split by split`() throws {
    let file = try folder.write(
      "text,label,split\na,x,train\nb,-,train\nc,x,test\nd,-,test\ne,-,test\nf,y,train\n", to: "t.csv")
    let splits = try DatasetReader(ignoredLabels: ["-"]).read(file, splitColumn: "split", name: "t")
    #expect(splits.train.labels == ["x", "y"])
    #expect(splits.train.dropped == 1)
    #expect(splits.test.dropped == 2)
    #expect(splits.test.count == 1)
  }

  @Test func `one file may hold all splits`() throws {
    let file = try folder.write(
      "text,label,part\na,x,train\nb,y,dev\nc,y,TRAIN\nd,x,test\n", to: "all.csv")
    let splits = try DatasetReader().read(file, splitColumn: "part", name: "task")
    #expect(splits.train.examples.map(\.id) == ["all:2", "all:4"])
    #expect(splits.validation.examples.map(\.id) == ["all:3"])
    #expect(splits.test.examples.map(\.id) == ["all:5"])
    #expect(splits.test.name == "task/test")
    #expect(splits.test.labels == ["x", "y"])
  }
}
