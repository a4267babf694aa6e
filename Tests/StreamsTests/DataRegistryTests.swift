import Foundation
import Testing

@testable import Streams

@Suite struct DataRegistryTests {
  private let folder: TemporaryFolder
  private let registry: DataRegistry

  init() throws {
    folder = try TemporaryFolder()
    registry = DataRegistry(home: folder.url.appendingPathComponent("home"))
    try folder.write(
      #"""
      {"name": "s", "experiences": [
        {"name": "a", "train": "train.csv", "test": "test.csv"}, {"name": "b", "train": "train.csv", "test": "b.csv"}]}
      """#, to: "data/stream.json")
    try folder.write(
      "text,label\nIt rains.,x\nIt snows!,x\nIt hails,x\n\"it, hails\",y\n", to: "data/train.csv")
    try folder.write("text,label\n\"It rains?\",x\nFog,y\n", to: "data/test.csv")
    try folder.write("text,label\nItrains,x\nDew,x\n", to: "data/b.csv")
  }

  private var data: URL { folder.url.appendingPathComponent("data") }

  @Test func `folders are added, listed and removed`() throws {
    #expect(try registry.list().isEmpty)
    #expect(try registry.add("weather", folder: data).name == "s")
    try registry.add("again", folder: data)
    #expect(try registry.list().map(\.name) == ["again", "weather"])
    #expect(try registry.entry("weather").path == data.path)
    try registry.remove("again")
    #expect(try registry.list().map(\.name) == ["weather"])
    #expect(try registry.stream("weather").count == 2)
  }

  @Test func `a report counts, balances and finds texts of train in test`() throws {
    try registry.add("weather", folder: data)
    let report = try registry.verify("weather")
    #expect(report.scenario == .taskIncremental)
    #expect(report.mayShareLabels)
    let first = report.experiences[0]
    #expect(first.train.count == 4)
    #expect(first.train.labelCounts == [3, 1])
    #expect(first.train.balance == 1.0 / 3)
    #expect(first.train.repeated == 1)
    #expect(first.validation.count == 0)
    #expect(first.overlap == ["test:2"])
    #expect(report.experiences[1].overlap.isEmpty)
    #expect(report.experiences[1].test.balance == 0)
  }

  @Test func `a folder that cannot be read is not registered`() throws {
    try folder.write("text,label\n", to: "data/b.csv")
    #expect(throws: DataError.self) { try registry.add("weather", folder: data) }
    #expect(try registry.list().isEmpty)
  }

  @Test(arguments: ["", " ", "a/b", " a", "a\t"]) func `a name that no recipe could ask for is refused`(name: String)
    throws
  {
    #expect(
      folder.problems { try registry.add(name, folder: data) } == [
        "\"\(name.replacing("\t", with: "\\t"))\" cannot be the name of data; write at least one character, no \"/\", and no "
          + "blank at either end"
      ])
    #expect(try registry.list().isEmpty)
    try registry.add("a b", folder: data)
  }

  @Test func `labels that differ only in case or blanks are found`() {
    let labels = ["Pos", "neg", "pos", " pos", "very bad", "verybad"]
    let groups = [["Pos", "pos", " pos"], ["very bad", "verybad"]]
    #expect(SimilarLabels.groups(labels) == groups)
    #expect(SimilarLabels.label(like: "NEG", among: labels) == "neg")
    let one = experience("one", labels), two = experience("two", labels), other = experience("three", ["NEG", "pos"])
    #expect(StreamReport(TaskStream(name: "s", experiences: [one, two, other])).similarLabels == groups)
    let shared = TaskStream(name: "s", sharesLabels: true, experiences: [one, other])
    #expect(StreamReport(shared).similarLabels == [groups[0], ["neg", "NEG"], groups[1]])
  }

  @Test func `errors say what to do`() throws {
    func sentences(_ body: () throws -> Void) -> [String] { folder.problems(body) }
    #expect(
      sentences { try registry.remove("x") }
        == ["no data is registered, so not \"x\" either; add its folder first"])
    try registry.add("weather", folder: data)
    #expect(
      sentences { try registry.add("weather", folder: data) }
        == ["data \"weather\" exists already; choose another name, or remove it first"])
    #expect(
      sentences { try registry.add("meadow", folder: data) }
        == ["data \"meadow\" exists already; choose another name, or remove it first"])
    #expect(
      sentences { _ = try registry.stream("x") }
        == ["no data is registered as \"x\"; the names are \"weather\""])
    try folder.write("[", to: "home/data.json")
    #expect(
      sentences { _ = try registry.list() }
        == ["home/data.json: not a list of registered folders; mend it, or delete it and add them again"])
    try folder.write("", to: "file")
    #expect(
      sentences { try DataRegistry(home: folder.url.appendingPathComponent("file")).add("w", folder: data) }
        == ["file/data.json: cannot be written; mend the permissions of its folder"])
  }
}

@Suite struct OverlapKeyTests {
  @Test func `case, punctuation and the kind of blanks do not count`() {
    #expect(overlapKey("  It's\tRAINING — again! ") == overlapKey("its raining again"))
    #expect(overlapKey("ÉTÉ, 2020") == "été 2020")
    #expect(overlapKey("It rains") != overlapKey("Itrains"))
  }

  @Test func `a text of nothing but punctuation is itself`() {
    #expect(overlapKey("?!") == "?!")
    #expect(overlapKey("?!") != overlapKey("..."))
  }

  @Test func `the border between text and pair counts`() {
    let one = Example(id: "1", text: "a b", pair: "c", label: 0)
    let two = Example(id: "2", text: "a", pair: "b c", label: 0)
    #expect(one.overlapKey != two.overlapKey)
  }
}
