public import Foundation

/// A run that cannot go on, or must not start.
public enum TrainingError: LocalizedError, CustomStringConvertible, Equatable {
  case nothingTrains(experience: String)
  case emptyBatch(experience: String, step: Int)
  case nothingAsked(experience: String, step: Int, items: [String])
  case nonFiniteLoss(value: Double, experience: String, step: Int, items: [String])
  case nonFiniteGradient(experience: String, step: Int, items: [String])
  case brokenUpdates(experience: String, from: Int, through: Int)
  case cannotRecord(String)
  case needsClasses(String, instead: String)
  case needsEncoder(method: String)
  case interrupted(resume: String)
  case interruptedUnsaved(resume: String)

  public var description: String {
    switch self {
    case .nothingTrains(let experience):
      "no parameter trains in experience '\(experience)': the methods freeze everything. Remove one of them, or add an adapter."
    case .emptyBatch(let experience, let step):
      "update \(step) of experience '\(experience)' has an empty batch: a method removed every example."
    case .nothingAsked(let experience, let step, let items):
      "update \(step) of experience '\(experience)' has no token to predict: nothing is asked in any of its items "
        + "(\(items.joined(separator: ", "))). Remove them, or raise training.batchSize."
    case .nonFiniteLoss(let value, let experience, let step, let items):
      "the loss is \(value.isNaN ? "nan" : "\(value)") at update \(step) of experience '\(experience)' (items \(items.joined(separator: ", "))). "
        + Self.way
    case .nonFiniteGradient(let experience, let step, let items):
      "the gradient is not finite at update \(step) of experience '\(experience)' (items \(items.joined(separator: ", "))). "
        + Self.way
    case .brokenUpdates(let experience, let first, let last):
      "the gradient stopped being finite between the updates \(first) and \(last) of experience '\(experience)', and the weights "
        + "with it; nothing of it was saved. Go on from the last checkpoint with --resume --allow-changed-training and a "
        + "lower rate (--set training.learningRate=…) or --set training.precision=fp32."
    case .cannotRecord(let obstacle):
      "training.recordsUpdates: no update can stand for another here, as \(obstacle). Leave the key out."
    case .needsClasses(let what, let instead):
      "'\(what)' needs a model that answers with a class, and this one answers in text. Set \(instead)."
    case .needsEncoder(let method):
      "'\(method)' works on the units of an encoder, and this model is none. Choose a BERT or RoBERTa, or another method."
    case .interrupted(let resume):
      "interrupted; everything so far is saved. Go on with: \(resume)"
    case .interruptedUnsaved(let resume):
      "interrupted; what came after the last checkpoint will be done again. Go on with: \(resume)"
    }
  }
  private static let way =
    "Nothing before this update is lost. Go on with --resume --allow-changed-training and a lower rate "
    + "(--set training.learningRate=…) or --set training.precision=fp32; delete the newest folder of checkpoints first "
    + "if the weights are spoiled already."
  public var errorDescription: String? { description }
}
