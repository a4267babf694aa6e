import Foundation
import Testing

@testable import Streams

@Suite struct TaskStreamTests {
  private let stream = TaskStream(
    name: "toy",
    experiences: [experience("a", ["no", "yes"]), experience("b", ["yes", "maybe"]), experience("c", ["x"])])

  @Test func `classes are numbered in order, each task its own`() {
    #expect(stream.experiences.map(\.classes) == [[0, 1], [2, 3], [4]])
    #expect(stream.classNames == ["a/no", "a/yes", "b/yes", "b/maybe", "c/x"])
    #expect(stream.experiences.map(\.index) == [0, 1, 2])
    #expect(stream.experiences.map(\.taskLabel) == [0, 1, 2])
  }

  @Test func `shared labels of one name are one class`() {
    let shared = TaskStream(name: "toy", sharesLabels: true, experiences: stream.experiences)
    #expect(shared.experiences.map(\.classes) == [[0, 1], [1, 2], [3]])
    #expect(shared.classNames == ["no", "yes", "maybe", "x"])
  }

  @Test func `a permutation renumbers positions and classes and keeps task labels`() throws {
    let permuted = try stream.permuted(order: [2, 0, 1])
    #expect(permuted.experiences.map(\.name) == ["c", "a", "b"])
    #expect(permuted.experiences.map(\.index) == [0, 1, 2])
    #expect(permuted.experiences.map(\.taskLabel) == [2, 0, 1])
    #expect(permuted.experiences.map(\.classes) == [[0], [1, 2], [3, 4]])
    #expect(try permuted.permuted(order: [1, 2, 0]) == stream)
  }

  @Test func `a subset follows the order of its names`() throws {
    #expect(try stream.subset(names: ["c", "a"]).experiences.map(\.taskLabel) == [2, 0])
  }

  @Test func `a drawn order depends on the seed alone`() {
    let orders = (0..<30 as Range<UInt64>).map { stream.reordered(seed: $0).experiences.map(\.name) }
    #expect(Set(orders).count == 6)
    #expect(orders == (0..<30 as Range<UInt64>).map { stream.reordered(seed: $0).experiences.map(\.name) })
  }

  @Test func `an appended experience is a new task`() throws {
    let longer = try stream.permuted(order: [2, 0, 1]).appending(experience("d", ["p", "q"]))
    #expect(longer.experiences.map(\.taskLabel) == [2, 0, 1, 3])
    #expect(longer.experiences[3].classes == [5, 6])
    #expect(longer.experiences[3].index == 3)
  }

  @Test func `caps and held-out validation do not depend on the order of the stream`() throws {
    let names = ["a", "b"]
    let tasks = names.map { name in
      Experience(name: name, train: dataset([30, 30], name: name), test: dataset([9, 9], name: "\(name)/test"))
    }
    func draw(_ stream: TaskStream) -> [Experience] {
      stream.holdingOut(.fraction(0.1, atMost: 500), seed: 1).capped(Caps(train: 10, test: 4), seed: 1).experiences
    }
    let stream = TaskStream(name: "toy", experiences: tasks)
    let straight = draw(stream)
    let turned = draw(try stream.permuted(order: [1, 0]))
    #expect(straight[0].train == turned[1].train)
    #expect(straight[0].validation == turned[1].validation)
    #expect(straight[0].train.examples != straight[1].train.examples)
    #expect(straight.map(\.train.count) == [10, 10])
    #expect(straight.map(\.validation.count) == [6, 6])
    #expect(straight.map(\.validation.name) == ["a/validation", "b/validation"])
    #expect(straight.map(\.test.count) == [4, 4])
  }

  @Test func `validation that a task has is kept`() {
    let given = Experience(
      name: "a", train: dataset([30]), validation: dataset([3], name: "given"), test: dataset([5]))
    let stream = TaskStream(name: "toy", experiences: [given]).holdingOut(.count(10), seed: 0)
    #expect(stream.experiences[0].validation.name == "given")
    #expect(stream.experiences[0].train.count == 30)
  }

  @Test func `requests that cannot be met are errors that say why`() {
    func sentence(_ body: () throws -> TaskStream) -> String {
      do { return "\(try body().name)" } catch { return "\(error)" }
    }
    #expect(
      sentence { try stream.permuted(order: [0, 0, 1]) }
        == "order [0, 0, 1] does not name every task of stream toy once; write the numbers 0 to 2 in any order")
    #expect(
      sentence { try stream.subset(names: ["a", "bb"]) }
        == "stream toy has no task \"bb\" (did you mean \"b\"?); name some of \"a\", \"b\", \"c\"")
    #expect(
      sentence { try stream.subset(names: ["a", "a"]) }
        == "stream toy would have the task \"a\" twice; give every task a name of its own")
    #expect(
      sentence { try stream.appending(experience("c", ["x"])) }
        == "stream toy would have the task \"c\" twice; give every task a name of its own")
    #expect(sentence { try stream.subset(names: []) } == "no task of stream toy is chosen; name at least one")
    #expect(
      "\(StreamError.unknownOrder(9, known: [1, 2], stream: "cl15"))"
        == "stream cl15 has no order 9; choose one of 1, 2")
  }

  @Test func `the index names the streams and suggests the nearest`() throws {
    let names = ["cl15", "corpora", "endtasks", "folder", "instructions", "meadow", "superni15"]
    #expect(StreamIndex.entries.map(\.name) == names)
    #expect(StreamIndex.entries.allSatisfy { !$0.summary.contains("\n") && $0.summary.count < 100 })
    let error = #expect(throws: StreamError.self) { try StreamIndex.entry("medow") }
    #expect(
      error?.localizedDescription
        == "unknown stream \"medow\" (did you mean \"meadow\"?); name one of \"cl15\", \"corpora\", "
        + "\"endtasks\", \"folder\", \"instructions\", \"meadow\", \"superni15\""
    )
  }
}
