import Testing

@testable import Streams

@Suite struct MeadowTests {
  @Test func `Meadow has five tasks in order, each with classes of its own`() throws {
    let stream = try TaskStream.meadow()
    #expect(stream.experiences.map(\.name) == ["desk", "mood", "intent", "follows", "time"])
    #expect(stream.scenario == .taskIncremental)
    #expect(stream.experiences.map(\.labels.count) == [4, 2, 4, 3, 3])
    #expect(stream.classNames.count == 16)
    #expect(stream.experiences.map(\.train.count) == [160, 160, 160, 160, 160])
    #expect(stream.experiences.map(\.test.count) == [80, 80, 80, 80, 80])
  }

  @Test func `only follows is about pairs`() throws {
    for experience in try TaskStream.meadow().experiences {
      let examples = experience.train.examples + experience.test.examples
      #expect(examples.allSatisfy { ($0.pair != nil) == (experience.name == "follows") })
    }
  }

  @Test func `classes are balanced, and train and test share no text`() throws {
    for report in StreamReport(try .meadow()).experiences {
      #expect(report.train.balance > 0.95, "\(report.name)")
      #expect(report.test.balance > 0.95, "\(report.name)")
      #expect(report.overlap.isEmpty, "\(report.name)")
      #expect(report.train.repeated + report.test.repeated == 0, "\(report.name)")
    }
  }
}
