import Continual
public import Foundation
import Models
import Streams

/// Whether the methods of a recipe can run on its stream.
enum Compatibility {
  static func check(
    _ recipe: Recipe, _ stream: TaskStream, architecture: String
  ) throws {
    let answersInText = ModelIndex.answersInText(architecture)
    if answersInText {
      for (name, _) in recipe.methods where MethodIndex.named(name)?.card.requires.contains(.heads) == true {
        throw CompatibilityError.needsHeads(method: name, architecture: architecture)
      }
    }
    for experience in stream.experiences where experience.labels.isEmpty {
      if !answersInText { throw CompatibilityError.needsText(experience: experience.name, architecture: architecture) }
      if recipe.evaluation.answers == .scored { throw CompatibilityError.notScored(experience: experience.name) }
    }
    let declaration = stream.declaration
    for (name, _) in recipe.methods {
      guard let card = MethodIndex.named(name)?.card else { continue }
      if card.requires.contains(.taskLabelAtTest), !declaration.hasTaskLabelAtTest {
        throw CompatibilityError.needsTaskLabel(method: name, stream: stream.name, scenario: stream.scenario.rawValue)
      }
      if card.requires.contains(.boundaries), !(declaration.boundariesVisible || declaration.hasTaskLabelAtTrain) {
        throw CompatibilityError.needsBoundaries(method: name, stream: stream.name, scenario: stream.scenario.rawValue)
      }
    }
    for experience in stream.experiences where experience.train.isEmpty {
      throw CompatibilityError.nothingToTrain(experience: experience.name)
    }
    for experience in stream.experiences where experience.test.isEmpty {
      throw CompatibilityError.nothingToTest(experience: experience.name)
    }
    let names = recipe.methodNames
    if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw CompatibilityError.twice(method: twice)
    }
    let whole = names.filter { ["joint", "per-task"].contains($0) }
    if whole.count > 1 { throw CompatibilityError.exclusive(whole) }
  }
}

/// An impossible combination in a recipe.
public enum CompatibilityError: LocalizedError, CustomStringConvertible, Equatable {
  case needsTaskLabel(method: String, stream: String, scenario: String)
  case needsBoundaries(method: String, stream: String, scenario: String)
  case needsHeads(method: String, architecture: String)
  case needsText(experience: String, architecture: String)
  case notScored(experience: String)
  case nothingToTrain(experience: String)
  case nothingToTest(experience: String)
  case twice(method: String)
  case exclusive([String])

  public var description: String {
    switch self {
    case .needsTaskLabel(let method, let stream, let scenario):
      "'\(method)' must be told the task when it predicts, but the stream '\(stream)' is \(scenario): it gives no task label "
        + "at test time. Set stream.taskLabelAtTest: true, or choose another method (jay list methods)."
    case .needsBoundaries(let method, let stream, let scenario):
      "'\(method)' must be told where an experience ends, but the stream '\(stream)' is \(scenario). Choose another method."
    case .needsHeads(let method, let architecture):
      "'\(method)' works on classification heads, but a model of type \(architecture) answers in text. Choose another method, "
        + "or an encoder (jay list models)."
    case .needsText(let experience, let architecture):
      "experience '\(experience)' asks for free texts, but a model of type \(architecture) answers with a class. Choose a "
        + "language model (jay list models)."
    case .notScored(let experience):
      "experience '\(experience)' has no classes that could be scored: its answers are free texts. Set evaluation.answers: "
        + "rougeL, or exactMatch."
    case .nothingToTrain(let experience):
      "experience '\(experience)' has no training examples. Raise stream.trainCap, or lower stream.validationShare."
    case .nothingToTest(let experience): "experience '\(experience)' has no test examples. Raise stream.testCap."
    case .twice(let method): "'\(method)' is listed twice. Keep one entry."
    case .exclusive(let methods):
      "\(methods.joined(separator: " and ")) each restart the model for every experience and cannot be combined. Keep one."
    }
  }
  public var errorDescription: String? { description }
}
