import Continual
public import Foundation
import Models
import Streams

/// The abilities that a recipe names.
enum Abilities {
  /// The test examples of each, as a stream of one experience: its classes are its own.
  static func streams(_ recipe: Recipe, _ places: Places, architecture: String) throws -> [TaskStream] {
    let settings = recipe.evaluation
    guard !settings.abilities.isEmpty else { return [] }
    guard ModelIndex.answersInText(architecture) else { throw AbilityError.needsText(architecture: architecture) }
    var found: [TaskStream] = []
    for name in settings.abilities {
      for experience in try experiences(name, places: places, architecture: architecture) {
        var test = experience.test
        guard !test.isEmpty else { throw AbilityError.nothingToTest(name) }
        guard !test.holdsDocuments else { throw AbilityError.documents(name) }
        if settings.abilityCap > 0 {
          test = test.prefix(cap: settings.abilityCap, seed: UInt64(recipe.stream.dataSeed))
        }
        guard !found.contains(where: { $0.name == experience.name }) else { throw AbilityError.twice(experience.name) }
        let measured = experience.measured(on: test).measured(by: measure(of: experience))
        found.append(TaskStream(name: experience.name, experiences: [measured]))
      }
    }
    return found
  }

  /// Of all their data; nil where there are none.
  static func fingerprint(_ streams: [TaskStream]) -> String? {
    streams.isEmpty ? nil : Fingerprint.text(streams.map { Fingerprint.stream($0) }.joined())
  }

  /// Classes are scored; what is free is written and compared, unless its stream says otherwise.
  private static func measure(of experience: Experience) -> AnswerMeasure {
    experience.measure ?? (experience.labels.isEmpty ? .exactMatch : .scored)
  }

  /// `STREAM` or `STREAM/TASK` of a built-in or registered stream, or a folder.
  private static func experiences(_ name: String, places: Places, architecture: String) throws -> [Experience] {
    var section = StreamSection()
    section.validationShare = 0
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    let known = try StreamIndex.entries.map(\.name) + DataRegistry(home: places.home).list().map(\.name)
    if known.contains(parts.first ?? ""), parts[0] != "folder" {
      (section.name, section.tasks) = (parts[0], Array(parts.dropFirst()))
    } else {
      let file = URL(fileURLWithPath: name).appendingPathComponent("stream.json")
      guard FileManager.default.fileExists(atPath: file.path) else { throw AbilityError.unknown(name, known: known) }
      (section.name, section.folder) = ("folder", name)
    }
    return try section.resolve(places, seed: 0, architecture: architecture).experiences
  }
}

/// Abilities that cannot be measured.
public enum AbilityError: LocalizedError, CustomStringConvertible, Equatable {
  case unknown(String, known: [String])
  case needsText(architecture: String)
  case nothingToTest(String)
  case documents(String)
  case twice(String)

  public var description: String {
    switch self {
    case .unknown(let name, let known):
      "evaluation.abilities: '\(name)' is neither a folder with a stream.json nor a stream. Write STREAM or STREAM/TASK, the "
        + "stream one of \(known.filter { $0 != "folder" }.joined(separator: ", "))."
    case .needsText(let architecture):
      "evaluation.abilities are asked and answered in text, and a model of type \(architecture) answers with a class. Choose "
        + "a language model, or remove them."
    case .nothingToTest(let name): "evaluation.abilities: '\(name)' has no test examples. Name another."
    case .documents(let name):
      "evaluation.abilities: '\(name)' holds documents, in which nothing is asked. Name a stream with questions."
    case .twice(let name):
      "evaluation.abilities: '\(name)' is named twice. Keep one, or rename the task in its stream.json."
    }
  }
  public var errorDescription: String? { description }
}
