import Testing

@testable import Streams

@Suite struct ScenarioTests {
  private let halves = [experience("a", ["0", "1"]), experience("b", ["2", "3"])]
  private let domains = [experience("a", ["even", "odd"]), experience("b", ["even", "odd"])]

  private func scenario(
    _ experiences: [Experience], _ declaration: StreamDeclaration = StreamDeclaration(), shared: Bool = true
  ) -> Scenario {
    TaskStream(name: "toy", declaration: declaration, sharesLabels: shared, experiences: experiences).scenario
  }

  @Test func `split classes with the task label at test are task-incremental`() {
    #expect(scenario(halves) == .taskIncremental)
  }

  @Test func `split classes without the task label at test are class-incremental`() {
    #expect(scenario(halves, StreamDeclaration(hasTaskLabelAtTest: false)) == .classIncremental)
  }

  @Test(arguments: [true, false]) func `the same classes on other inputs are domain-incremental`(label: Bool) {
    #expect(scenario(domains, StreamDeclaration(hasTaskLabelAtTest: label)) == .domainIncremental)
  }

  @Test func `the order of the label names does not matter`() {
    let swapped = [experience("a", ["even", "odd"]), experience("b", ["odd", "even"])]
    #expect(scenario(swapped) == .domainIncremental)
  }

  @Test func `equal names are other classes unless the stream shares them`() {
    #expect(scenario(domains, shared: false) == .taskIncremental)
  }

  @Test func `one pass without boundaries is online`() {
    let declaration = StreamDeclaration(hasTaskLabelAtTrain: false, boundariesVisible: false, passes: 1)
    #expect(scenario(halves, declaration) == .online)
  }

  @Test func `one pass over small batches is online even if boundaries are seen`() {
    #expect(scenario(halves, StreamDeclaration(passes: 1, arrival: .smallBatches)) == .online)
  }

  @Test func `several passes without boundaries are task-free`() {
    let declaration = StreamDeclaration(hasTaskLabelAtTrain: false, boundariesVisible: false)
    #expect(scenario(halves, declaration) == .taskFree)
  }

  @Test func `a task label in training gives boundaries away`() {
    #expect(scenario(halves, StreamDeclaration(boundariesVisible: false, passes: 1)) == .taskIncremental)
  }

  @Test func `classes that come back in part are blurred`() {
    let labels = (0..<10).map { "\($0)" }
    let blurred = [experience("a", Array(labels[0..<10])), experience("b", Array(labels[7...]) + ["x", "y"])]
    #expect(scenario(blurred, StreamDeclaration(hasTaskLabelAtTest: false)) == .blurred)
    #expect(scenario(blurred) == .taskIncremental)
  }

  @Test func `one task in parts is instance-incremental`() {
    #expect(scenario(domains, StreamDeclaration(arrival: .parts)) == .instanceIncremental)
  }

  @Test func `corpora before a downstream task are continual pre-training`() {
    #expect(scenario(halves, StreamDeclaration(arrival: .corpora)) == .continualPretraining)
  }

  @Test func `the label relation of a declaration is replaced by that of the experiences`() {
    let typed = StreamDeclaration(labelRelation: .same)
    let stream = TaskStream(name: "toy", declaration: typed, experiences: halves)
    #expect(stream.declaration.labelRelation == .disjoint)
  }

  @Test func `dropping tasks from a blurred stream derives the scenario anew`() throws {
    let stream = TaskStream(
      name: "toy", declaration: StreamDeclaration(hasTaskLabelAtTest: false), sharesLabels: true,
      experiences: [experience("a", ["0", "1"]), experience("b", ["1", "2"]), experience("c", ["3"])])
    #expect(stream.scenario == .blurred)
    #expect(try stream.subset(names: ["b", "c"]).scenario == .classIncremental)
  }
}
