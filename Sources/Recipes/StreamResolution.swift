public import Continual
import Foundation
import Models
public import Streams

extension StreamSection {
  /// A key that the stream of this name does not read: left unheeded, other data would be trained on than were meant.
  public var conflict: ConfigurationConflict? {
    let ordered = ["cl15", "superni15"], placed = ordered + ["corpora", "endtasks", "instructions", "folder"]
    if name == "folder", folder.isEmpty {
      return ConfigurationConflict(
        key: "folder", reason: "it is empty. Name the folder that holds the stream.json, or hub:owner/name.")
    }
    if !folder.isEmpty, !placed.contains(name) {
      return ConfigurationConflict(
        key: "folder",
        reason: "the stream is '\(name)', which is not read from a folder. Set stream.name: folder for one with a "
          + "stream.json, or leave folder out.")
    }
    if order > 0, !ordered.contains(name) {
      return ConfigurationConflict(
        key: "order",
        reason:
          "'\(name)' has no published orders; \(ordered.joined(separator: " and ")) have. Leave order out, and list "
          + "the tasks in stream.tasks in the order that you want.")
    }
    if order > 0, !tasks.isEmpty {
      return ConfigurationConflict(
        key: "tasks", reason: "the published order \(order) names its tasks itself. Leave out tasks, or order.")
    }
    if domainLabelAtTest, name != "corpora" || !taskLabelAtTest {
      return ConfigurationConflict(
        key: "domainLabelAtTest",
        reason: name == "corpora"
          ? "taskLabelAtTest: false says the opposite. Leave one of them out."
          : "the stream is '\(name)', whose own description says whether the task is told. Leave it out.")
    }
    return nil
  }

  /// Loads the stream as models of this type read it, cuts it, holds validation out of train, orders it.
  public func resolve(_ places: Places, seed: Int, architecture: String) throws -> TaskStream {
    var stream = try load(places, isPrompted: ModelIndex.answersInText(architecture))
    if !tasks.isEmpty { stream = try stream.subset(names: tasks) }
    stream = prepared(stream)
    if shuffleTasks { stream = stream.reordered(seed: UInt64(seed)) }
    if !taskLabelAtTest {
      var declaration = stream.declaration
      declaration.hasTaskLabelAtTest = false
      stream = TaskStream(
        name: stream.name, declaration: declaration, sharesLabels: stream.sharesLabels, experiences: stream.experiences)
    }
    return stream
  }

  /// Experiences that came later (`jay continue`), with validation held out and cut as those of the recipe are.
  func prepared(_ experiences: [Experience]) -> [Experience] {
    experiences.flatMap { prepared(TaskStream(name: "added", experiences: [$0])).experiences }
  }

  private func prepared(_ stream: TaskStream) -> TaskStream {
    let caps = Caps(
      train: trainCap > 0 ? trainCap : nil, validation: validationCap > 0 ? validationCap : nil,
      test: testCap > 0 ? testCap : nil)
    guard validationShare > 0 else { return stream.capped(caps, seed: UInt64(dataSeed)) }
    return stream.holdingOut(.fraction(validationShare, atMost: 500), seed: UInt64(dataSeed))
      .capped(caps, seed: UInt64(dataSeed))
  }

  private func load(_ places: Places, isPrompted: Bool) throws -> TaskStream {
    switch name {
    case "meadow": return try .meadow()
    case "folder": return try StreamLoader.load(places.stream(folder))
    case "cl15":
      let url = try publicData(places)
      let form = isPrompted ? CL15.Form.benchmark : .pair
      if order > 0 { return try CL15.stream(url, order: order, form: form, holdout: nil) }
      return try CL15.stream(url, tasks: tasks, form: form, holdout: nil)
    case "corpora": return try Corpora.stream(publicData(places), domains: tasks, areTold: domainLabelAtTest)
    case "endtasks": return try EndTasks.stream(publicData(places), tasks: tasks)
    case "superni15":
      let url = try publicData(places)
      if order > 0 { return try SuperNI15.stream(url, order: order, holdout: nil) }
      return try SuperNI15.stream(url, tasks: tasks, holdout: nil)
    case "instructions": return try Instructions.stream(publicData(places), tasks: tasks)
    default:
      return try DataRegistry(home: places.home).stream(name)
    }
  }

  /// The folder of a public stream.
  private func publicData(_ places: Places) throws -> URL {
    let place = name == "instructions" ? "extra" : name
    let url = folder.isEmpty ? places.data.appendingPathComponent(place) : URL(fileURLWithPath: folder)
    guard FileManager.default.fileExists(atPath: url.path) else { throw PlaceError.noData(name, path: url.path) }
    return url
  }
}
