import Foundation
import Testing

@testable import Streams

@Suite(.enabled(if: hasCL15, "needs the folder cl15 in the folder of JAY_DATA"))
struct CL15Tests {
  /// The orders of the MIGU paper: 1 to 3 with four tasks, 4 to 6 with all fifteen.
  private static let orders = [
    1: "dbpedia amazon yahoo agnews", 2: "dbpedia amazon agnews yahoo", 3: "yahoo amazon agnews dbpedia",
    4: "mnli cb wic copa qqp boolqa rte imdb yelp amazon sst2 dbpedia agnews multirc yahoo",
    5: "multirc boolqa wic mnli cb copa qqp rte imdb sst2 dbpedia agnews yelp amazon yahoo",
    6: "yelp amazon mnli cb copa qqp rte imdb sst2 dbpedia agnews yahoo multirc boolqa wic",
  ]

  @Test func `the orders are as published`() throws {
    let file: [String: [String]] = try CL15.decode("orders.json", in: cl15Folder)
    for (order, tasks) in Self.orders {
      #expect(file[String(order)] == tasks.split(separator: " ").map(String.init), "order \(order)")
    }
  }

  @Test func `all tasks read whole, but for examples without gold label`() throws {
    let stream = try CL15.stream(cl15Folder, order: 4, holdout: nil)
    #expect(stream.name == "cl15-order4")
    #expect(stream.experiences.map(\.name).joined(separator: " ") == Self.orders[4])
    #expect(stream.scenario == .taskIncremental)
    let entries: [CL15.TaskEntry] = try CL15.decode("tasks.json", in: cl15Folder)
    for experience in stream.experiences {
      let entry = try #require(entries.first { $0.task == experience.name })
      #expect(experience.labels == entry.labels)
      #expect(experience.train.count == entry.train)
      #expect(experience.test.count + experience.test.dropped == entry.test)
      #expect(experience.test.dropped == (experience.name == "mnli" ? 131 : 0))
    }
    #expect(stream.classNames.count == entries.reduce(0) { $0 + $1.labels.count })
  }

  @Test func `validation is held out of train`() throws {
    let stream = try CL15.stream(cl15Folder, tasks: ["cb", "rte", "agnews"])
    #expect(stream.experiences.map(\.validation.count) == [25, 200, 400])
    #expect(stream.experiences.map(\.train.count) == [225, 1800, 3600])
    for experience in stream.experiences {
      let train = Set(experience.train.examples.map(\.overlapKey))
      #expect(train.isDisjoint(with: experience.validation.examples.map(\.overlapKey)))
    }
    #expect(try CL15.stream(cl15Folder, tasks: ["dbpedia"]).experiences[0].validation.count == 500)
  }

  @Test func `pairs are pairs, and the benchmark's text is its text`() throws {
    func first(_ task: String, _ form: CL15.Form) throws -> Example {
      try CL15.stream(cl15Folder, tasks: [task], form: form, holdout: nil).experiences[0].train.examples[0]
    }
    let pair = try first("copa", .pair)
    #expect(pair.text == "cause\nThe host cancelled the party.")
    #expect(pair.pair == "She was certain she had the flu.\nShe worried she would catch the flu.")
    let whole = try first("copa", .benchmark)
    #expect(whole.pair == nil)
    #expect(
      whole.text == "Which sentence is the cause of \"The host cancelled the party.\"? "
        + "Choose one between A and B.\nA: She was certain she had the flu.\nB: She worried she would catch the flu.")
    #expect(try first("mnli", .pair).pair == "You think before you speak.")
    #expect(try first("sst2", .pair).pair == nil)
    #expect(try first("wic", .pair).text == "call\nAfter two raises there was a call.")
    #expect(try first("boolqa", .pair).text == "was the color orange named after the fruit")
  }

  @Test func `caps make a small balanced stream`() throws {
    let stream = try CL15.stream(cl15Folder, order: 1).capped(Caps(train: 140, validation: 50, test: 70), seed: 3)
    #expect(stream.experiences.map(\.train.count) == [140, 140, 140, 140])
    #expect(stream.experiences.map(\.test.count) == [70, 70, 70, 70])
    #expect(stream.experiences[0].train.labelCounts == Array(repeating: 10, count: 14))
  }

  @Test func `unknown orders and tasks are errors that list the known`() {
    #expect(throws: StreamError.unknownOrder(7, known: [1, 2, 3, 4, 5, 6], stream: "cl15")) {
      try CL15.stream(cl15Folder, order: 7)
    }
    let error = #expect(throws: StreamError.self) { try CL15.stream(cl15Folder, tasks: ["sst-2"]) }
    #expect(
      error?.description.hasPrefix("stream cl15 has no task \"sst-2\" (did you mean \"sst2\"?); name some of") == true)
    #expect(throws: StreamError.duplicateExperience("cb", stream: "cl15")) {
      try CL15.stream(cl15Folder, tasks: ["cb", "rte", "cb"])
    }
  }
}

@Test func `a folder that is not the benchmark is named`() throws {
  let folder = try TemporaryFolder()
  #expect(
    folder.problems { _ = try CL15.stream(folder.url, order: 1) } == ["orders.json: file not found; check the path"])
}
