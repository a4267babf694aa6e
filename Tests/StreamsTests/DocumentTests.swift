import Foundation
import Testing

@testable import Streams

/// Texts to pretrain on.
@Suite struct DocumentTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `documents are read from JSON lines and from text files`() throws {
    try folder.write("{\"text\": \"one\", \"id\": 7}\n{\"text\": \"two\", \"id\": 8}\n", to: "a.jsonl")
    try folder.write("three\r\n\n  \nfour and more\n", to: "b.txt")
    try folder.write(
      #"""
      {"name": "news", "taskLabelAtTest": false, "experiences": [
        {"name": "may", "train": "a.jsonl", "test": "b.txt", "documents": true}]}
      """#, to: "stream.json")
    let stream = try StreamLoader.load(folder.url)
    let may = stream.experiences[0]
    #expect(may.holdsDocuments && may.labels.isEmpty && may.classes.isEmpty)
    #expect(may.train.examples == [Example(id: "a:1", document: "one"), Example(id: "a:2", document: "two")])
    #expect(may.test.examples.map(\.id) == ["b:1", "b:4"])
    #expect(may.test.examples.map(\.text) == ["three", "four and more"])
    #expect(may.train.answer(of: may.train.examples[0]) == "")
    #expect(stream.scenario == .domainIncremental)
  }

  @Test func `documents are asked nothing`() throws {
    try folder.write(
      #"""
      {"name": "n", "experiences": [
        {"name": "m", "train": "a.txt", "test": "a.txt", "documents": true, "label": "y"}]}
      """#, to: "stream.json")
    #expect(
      folder.problems { _ = try StreamLoader.load(folder.url) } == [
        "stream.json: experiences[0]: documents are texts to pretrain on, with no \"label\", \"answer\" or \"pair\"; "
          + "remove these keys, or \"documents\""
      ])
    let file = try folder.write("a text\n", to: "a.txt")
    #expect(
      folder.problems { _ = try DatasetReader().read(file) } == [
        "a.txt: a .txt file holds documents, one a line, without labels or answers; write a .jsonl, .csv or .tsv file"
      ])
  }

  @Test(.enabled(if: hasCorpora, "the corpora are not at \(corporaFolder.path)"))
  func `domains come in the order asked for`() throws {
    let stream = try Corpora.stream(corporaFolder, domains: ["tweets", "shakespeare"])
    #expect(stream.experiences.map(\.name) == ["tweets", "shakespeare"])
    #expect(stream.experiences.map(\.train.count) == [44863, 251])
    #expect(stream.experiences.map(\.test.count) == [2337, 14])
    #expect(stream.experiences.allSatisfy(\.holdsDocuments) && stream.scenario == .domainIncremental)
    #expect(throws: StreamError.self) { try Corpora.stream(corporaFolder, domains: ["tweet"]) }
  }

  @Test(.enabled(if: hasCorpora, "the corpora are not at \(corporaFolder.path)"))
  func `the texts of the benchmark are one domain`() throws {
    let stream = try Corpora.stream(corporaFolder, domains: ["cl15", "tweets"])
    let texts = stream.experiences[0]
    #expect(stream.experiences.map(\.name) == ["cl15", "tweets"] && texts.holdsDocuments)
    #expect(texts.train.count == 48568)
    let benchmark = try CL15.stream(cl15Folder, tasks: ["sst2"], holdout: nil)
    let first = try #require(benchmark.experiences[0].train.examples.first)
    #expect(texts.train.examples.contains { $0.text == first.text })
    #expect(Set(texts.train.examples.map(\.id)).count == texts.train.count)
  }

  @Test(.enabled(if: hasEndTasks, "the end tasks are not at \(endTasksFolder.path)"))
  func `end tasks have the aspect first`() throws {
    let stream = try EndTasks.stream(endTasksFolder, tasks: ["restaurant_absa", "chemprot"])
    #expect(stream.experiences.map(\.train.count) == [3608, 4169])
    #expect(stream.experiences.map(\.validation.count) == [0, 2427])
    #expect(stream.experiences.map(\.test.count) == [1120, 3469])
    let first = stream.experiences[0].train.examples[0]
    #expect(first.text == "staff" && first.pair == "But the staff was so horrible to us .")
    #expect(stream.experiences[0].labels[first.label] == "negative")
  }
}

/// Rows of documents.
@Suite struct PackingTests {
  private let documents: [[Int32]] = [[1, 2, 3], [4, 5, 6, 7, 8], [9], [10, 11]]

  @Test func `a stream is cut anywhere and its tail dropped`() {
    #expect(Packing.stream.rows(documents, length: 4).map(\.tokens) == [[1, 2, 3, 4], [5, 6, 7, 8]])
    #expect(Packing.stream.rows(documents, length: 40).map(\.tokens) == [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]])
    #expect(Packing.stream.rows([], length: 4).isEmpty)
  }

  @Test func `each document alone`() {
    #expect(
      Packing.none.rows(documents, length: 4).map(\.tokens) == [[1, 2, 3], [4, 5, 6, 7], [8], [9], [10, 11]])
  }

  @Test func `documents go where they leave the least room`() {
    #expect(
      Packing.documents.rows(documents, length: 4) == [
        .init(tokens: [1, 2, 3, 8], documents: [3, 1]), .init(tokens: [4, 5, 6, 7]),
        .init(tokens: [9, 10, 11], documents: [1, 2]),
      ])
  }

  @Test func `no token is lost and none twice`() {
    var generator = SeededGenerator(seed: 3)
    var next: Int32 = 0
    let many = (0..<200).map { _ in
      (0..<Int(1 + generator.next() % 30)).map { _ -> Int32 in
        next += 1
        return next
      }
    }
    for packing in [Packing.documents, .none] {
      let rows = packing.rows(many, length: 16)
      #expect(rows.allSatisfy { $0.tokens.count <= 16 })
      #expect(rows.allSatisfy { $0.documents.isEmpty || $0.documents.reduce(0, +) == $0.tokens.count })
      #expect(rows.flatMap(\.tokens).sorted() == Array(1...next))
    }
    let full = Packing.documents.rows(many, length: 16)
    #expect(Double(next) / Double(full.count * 16) > 0.9)
  }
}
