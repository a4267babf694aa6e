public import NN
public import Torch

/// A decoder that answers in text: it reads the prompt and writes the answer behind it.
///
/// The loss is the mean cross-entropy of the answers' tokens. Scores are computed for those positions only, so that
/// MIGU ranks the rows of a trained head by them alone, where wenyudu/MIGU sees all positions.
public final class CausalAnswerer: Generates {
  public let parameters: ParameterStore
  public let endTokens: [Int32]
  private let model: any CausalLanguageModel

  public init(_ model: any CausalLanguageModel, parameters: ParameterStore, endTokens: [Int32]) {
    (self.model, self.parameters, self.endTokens) = (model, parameters, endTokens)
  }

  public var maxLength: Int { model.maxLength }
  public var answerLayout: AnswerLayout { .behind }

  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    guard let labels = batch.labels, let places = batch.labelPlaces else {
      preconditionFailure("CausalAnswerer: the batch has no labels")
    }
    let hidden = model.hidden(batch.tokens, mask: batch.mask, cache: nil, mode)
    let written = hidden.reshaped(-1, model.width).gathered(0, places)
    let scores = model.logits(written, mode).to(.float32)
    return ModelOutput(loss: scores.crossEntropy(labels.reshaped(-1).gathered(0, places)))
  }

  public func score(_ batch: DeviceBatch, answers: [[Int32]]) -> Tensor {
    let tree = AnswerTree(answers)
    return CausalReading(model, batch, room: tree.room).score(tree)
  }

  public func generate(
    _ batch: DeviceBatch, _ settings: GenerationSettings, decode: (([Int32]) -> String)?,
    observe: ((_ row: Int, _ token: Int32) -> Void)?
  ) -> [GeneratedAnswer] {
    CausalReading(model, batch, room: settings.maxTokens)
      .write(Ending(endTokens: endTokens, settings: settings, decode: decode), observe: observe)
  }
}
