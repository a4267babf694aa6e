import Foundation
import Testing

@testable import Streams

@Suite struct EndTasksTests {
  private func dataset(_ name: String, _ targets: [Int]) -> Dataset {
    Dataset(
      name: name, labels: ["a", "b"],
      examples: targets.enumerated().map { Example(id: "\(name):\($0)", text: "text \($0)", label: $1) })
  }

  @Test func `of each label the first training examples move to the test split`() {
    let splits = Splits(
      train: dataset("train", [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), validation: dataset("dev", [1]),
      test: dataset("test", [0]))
    // ⌊10 · 0.5 / 2⌋ = 2 of each label, of which the second has one only.
    let parted = EndTasks.repartitioned(splits, keeping: 0.5)
    #expect(parted.test.examples.map(\.id) == ["test:0", "dev:0", "train:0", "train:1", "train:2"])
    #expect(parted.train.examples.map(\.id) == (3..<10).map { "train:\($0)" })
    #expect(parted.validation.isEmpty)
  }

  @Test(.enabled(if: hasEndTasks, "the end tasks are not at \(endTasksFolder.path)"))
  func `the splits of the benchmark have its sizes`() throws {
    let names = ["scierc_relation-das", "acl_arc-das", "chemprot-das", "acl_arc"]
    let stream = try EndTasks.stream(endTasksFolder, tasks: names)
    #expect(stream.experiences.map(\.name) == names)
    #expect(stream.experiences.map(\.train.count) == [2260, 1520, 2667, 1688])
    #expect(stream.experiences.map(\.validation.count) == [0, 0, 0, 114])
    #expect(stream.experiences.map(\.test.count) == [2388, 421, 7398, 139])
    for experience in stream.experiences {
      let ids = (experience.train.examples + experience.test.examples).map(\.id)
      #expect(Set(ids).count == ids.count)
    }
    #expect(throws: StreamError.self) { try EndTasks.stream(endTasksFolder, tasks: ["scicite-das"]) }
  }
}
