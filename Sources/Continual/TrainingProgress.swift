public import Evaluation
import Torch

/// Where a run stands: with the weights and the methods' state, all that a checkpoint needs.
public struct TrainingProgress {
  /// Position of the experience that trains next, or trains now.
  public internal(set) var experience = 0
  /// Updates of that experience so far.
  public internal(set) var step = 0
  public internal(set) var matrix: AccuracyMatrix
  public internal(set) var macroF1: AccuracyMatrix
  public internal(set) var validation: AccuracyMatrix
  /// Mean cross-entropy of the predicted tokens, in nats, where tokens are predicted.
  public internal(set) var loss: AccuracyMatrix?
  /// Of the abilities that are measured; nil where there are none.
  public internal(set) var abilities: AbilityScores?
  /// Numbers that train in the present experience, or trained in the last one.
  public internal(set) var trainableParameters = 0
  /// The optimizer's moments while a checkpoint is being resumed; empty otherwise.
  var optimizerState: [String: Tensor] = [:]
  var optimizerStep = 0

  /// - Parameters:
  ///   - experiences: their names.
  ///   - predictsTokens: whether each is measured by the tokens that are predicted.
  init(experiences: [String], predictsTokens: [Bool]) {
    let all = !predictsTokens.contains(false)
    matrix = AccuracyMatrix(experiences: experiences, quantity: all ? "token accuracy" : "accuracy")
    loss =
      predictsTokens.contains(true)
      ? AccuracyMatrix(experiences: experiences, quantity: AccuracyMatrix.loss) : nil
    macroF1 = AccuracyMatrix(experiences: experiences, quantity: "macro-F1")
    validation = AccuracyMatrix(experiences: experiences, quantity: "validation accuracy")
  }
}
