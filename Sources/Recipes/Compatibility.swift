import Continual
public import Foundation
import Methods
import Models
import Streams

/// Whether the methods of a recipe can run on its stream.
enum Compatibility {
  static func check(
    _ recipe: Recipe, _ stream: TaskStream, architecture: String
  ) throws {
    let objective = recipe.training.objective
    try checkObjective(recipe.training, stream, architecture: architecture)
    let answersInText = ModelIndex.answersInText(architecture)
    if answersInText || objective != .task {
      for (name, _) in recipe.methods where MethodIndex.named(name)?.card.requires.contains(.heads) == true {
        throw CompatibilityError.needsHeads(method: name, architecture: architecture)
      }
    }
    if ModelIndex.family(architecture) != .encoderDecoder || objective != .task {
      for (name, _) in recipe.methods where MethodIndex.named(name)?.card.requires.contains(.encoderDecoder) == true {
        throw CompatibilityError.needsEncoderDecoder(method: name, architecture: architecture)
      }
    }
    if objective == .task { try checkAnswers(recipe, stream, architecture: architecture) }
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
    for case (let name, let migu as MIGU.Configuration) in recipe.methods
    where migu.lazy && ![.adamw, .adam].contains(recipe.training.optimizer) {
      throw CompatibilityError.lazy(method: name, optimizer: recipe.training.optimizer.rawValue)
    }
    let whole = names.filter { ["joint", "per-task"].contains($0) }
    if whole.count > 1 { throw CompatibilityError.exclusive(whole) }
    let freezing = names.filter { MethodIndex.named($0)?.card.freezesModel == true }
    if freezing.count > 1 { throw CompatibilityError.freezing(freezing) }
  }
}

extension Compatibility {
  /// Free answers need a model that writes, and a way to measure them.
  private static func checkAnswers(_ recipe: Recipe, _ stream: TaskStream, architecture: String) throws {
    for experience in stream.experiences where experience.labels.isEmpty {
      if experience.holdsDocuments {
        throw CompatibilityError.nothingAsked(experience: experience.name, architecture: architecture)
      }
      guard ModelIndex.answersInText(architecture) else {
        throw CompatibilityError.needsText(experience: experience.name, architecture: architecture)
      }
      if experience.measure(by: recipe.evaluation.answers) == .scored {
        throw CompatibilityError.notScored(experience: experience.name)
      }
    }
  }

  /// The names of the objectives that models of this type are pretrained with.
  static func objectiveName(_ architecture: String) -> String {
    objectives(ModelIndex.family(architecture)).map(\.rawValue).joined(separator: " or ")
  }

  /// The objectives that models of a family are pretrained with.
  private static func objectives(_ family: ModelIndex.Family) -> [ObjectiveKind] {
    switch family {
    case .encoder: [.masked]
    case .decoder: [.causal]
    case .encoderDecoder: [.spans, .prefix]
    }
  }

  private static func checkObjective(
    _ training: TrainingSettings, _ stream: TaskStream, architecture: String
  ) throws {
    guard ([.task] + objectives(ModelIndex.family(architecture))).contains(training.objective) else {
      throw CompatibilityError.objective(
        training.objective.rawValue, architecture: architecture, instead: objectiveName(architecture))
    }
    if [.spans, .prefix].contains(training.objective), training.packing == .documents {
      throw CompatibilityError.packed(training.objective.rawValue)
    }
  }
}

/// An impossible combination in a recipe.
public enum CompatibilityError: LocalizedError, CustomStringConvertible, Equatable {
  case needsTaskLabel(method: String, stream: String, scenario: String)
  case needsBoundaries(method: String, stream: String, scenario: String)
  case needsHeads(method: String, architecture: String)
  case needsEncoderDecoder(method: String, architecture: String)
  case needsText(experience: String, architecture: String)
  case nothingAsked(experience: String, architecture: String)
  case objective(String, architecture: String, instead: String)
  case packed(String)
  case notScored(experience: String)
  case nothingToTrain(experience: String)
  case nothingToTest(experience: String)
  case twice(method: String)
  case exclusive([String])
  case freezing([String])
  case lazy(method: String, optimizer: String)

  public var description: String {
    switch self {
    case .needsTaskLabel(let method, let stream, let scenario):
      "'\(method)' must be told the task when it predicts, but the stream '\(stream)' is \(scenario): it gives no task label "
        + "at test time. "
        + (stream == "corpora"
          ? "Set stream.domainLabelAtTest: true"
          : "Set taskLabelAtTest: true where that is said, in the recipe's stream section or the data's stream.json")
        + ", or choose another method (jay list methods)."
    case .needsBoundaries(let method, let stream, let scenario):
      "'\(method)' must be told where an experience ends, but the stream '\(stream)' is \(scenario). Choose another method."
    case .needsHeads(let method, let architecture):
      "'\(method)' works on classification heads, and there are none: a model of type \(architecture) answers in text, and "
        + "pre-training predicts tokens. Choose another method, or an encoder with training.objective: task."
    case .needsEncoderDecoder(let method, let architecture):
      "'\(method)' learns tasks with an encoder that reads and a decoder that writes, and here a model of type "
        + "\(architecture) is trained or pre-trained. Choose another method, or a T5 with training.objective: task."
    case .needsText(let experience, let architecture):
      "experience '\(experience)' asks for free texts, but a model of type \(architecture) answers with a class. Choose a "
        + "language model (jay list models)."
    case .nothingAsked(let experience, let architecture):
      "experience '\(experience)' holds documents, in which nothing is asked. Pretrain on them: training.objective: "
        + "\(Compatibility.objectiveName(architecture))."
    case .objective(let objective, let architecture, let instead):
      "a model of type \(architecture) cannot be pretrained with the objective '\(objective)'. Set training.objective: "
        + "\(instead)."
    case .packed(let objective):
      "the objective '\(objective)' takes rows of running text. Set training.packing: stream, or none."
    case .notScored(let experience):
      "experience '\(experience)' has no classes that could be scored: its answers are free texts. Set evaluation.answers: "
        + "rougeL, or exactMatch."
    case .nothingToTrain(let experience):
      "experience '\(experience)' has no training examples. Raise stream.trainCap, or lower stream.validationShare."
    case .nothingToTest(let experience): "experience '\(experience)' has no test examples. Raise stream.testCap."
    case .twice(let method): "'\(method)' is listed twice. Keep one entry."
    case .lazy(let method, let optimizer):
      "'\(method)' with lazy needs an optimizer that can leave rows alone, and '\(optimizer)' cannot. Set "
        + "training.optimizer: adamw, or leave lazy out."
    case .exclusive(let methods):
      "\(methods.joined(separator: " and ")) each restart the model for every experience and cannot be combined. Keep one."
    case .freezing(let methods):
      "\(methods.joined(separator: " and ")) each train what they add to the model and freeze all else, each other's "
        + "included. Keep one."
    }
  }
  public var errorDescription: String? { description }
}
