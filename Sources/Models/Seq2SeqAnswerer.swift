public import NN
public import Torch

/// An encoder and a decoder that answer in text: the one reads the prompt, the other writes the answer.
///
/// The loss is the mean cross-entropy of the answers' tokens. The decoder and its head run over the padding of short
/// answers too, as in wenyudu/MIGU, so that MIGU's sums are the same.
public final class Seq2SeqAnswerer: Generates, PredictsTokens, Represents {
  public let parameters: ParameterStore
  public let endTokens: [Int32]
  private let model: any SequenceToSequenceModel

  public init(_ model: any SequenceToSequenceModel, parameters: ParameterStore, endTokens: [Int32]) {
    (self.model, self.parameters, self.endTokens) = (model, parameters, endTokens)
  }

  public var maxLength: Int { model.maxLength }
  public var vocabularySize: Int { model.vocabularySize }
  public var answerLayout: AnswerLayout { .apart }
  public var featureWidth: Int { model.width }

  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    let (hidden, labels) = written(batch, mode)
    let scores = model.logits(hidden, mode)
    return ModelOutput(loss: scores.reshaped(-1, model.vocabularySize).crossEntropy(labels.reshaped(-1)))
  }

  public func labelScores(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    model.logits(labelStates(batch, mode), mode)
  }

  public func labelStates(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { labelled(batch, mode).states }

  public func tokenScores(_ batch: DeviceBatch) -> TokenScores {
    let (states, labels) = labelled(batch, .evaluation)
    return TokenScores(states, labels) { model.logits($0, .evaluation) }
  }

  /// The mean of the encoder's last hidden states; padding and soft prompts' own states are left out.
  public func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    let encoded = model.encode(batch.tokens, mask: batch.mask, mode), length = batch.tokens.size(1)
    let end = encoded.size(1) - (parameters.promptSlot?.count(at: .behind) ?? 0)
    return encoded.narrowed(1, end - length..<end).tokenMean(batch.mask)
  }

  /// The states that write the answers' tokens, `[n, width]`, and those tokens, int64 `[n]`.
  private func labelled(_ batch: DeviceBatch, _ mode: Mode) -> (states: Tensor, labels: Tensor) {
    guard let places = batch.labelPlaces else { preconditionFailure("Seq2SeqAnswerer: the batch has no labels") }
    let (hidden, labels) = written(batch, mode)
    return (hidden.reshaped(-1, model.width).gathered(0, places), labels.reshaped(-1).gathered(0, places))
  }

  /// The decoder's states `[rows, positions, width]`, and the tokens they write, int64 `[rows, positions]`.
  private func written(_ batch: DeviceBatch, _ mode: Mode) -> (Tensor, Tensor) {
    guard let labels = batch.labels else { preconditionFailure("Seq2SeqAnswerer: the batch has no labels") }
    let encoded = model.encode(batch.tokens, mask: batch.mask, mode)
    let before = labels.narrowed(1, 0..<labels.size(1) - 1).clamped(0...Double(model.vocabularySize)).to(.int64)
    let start = Tensor.full([batch.rows, 1], Double(model.startToken), dtype: .int64, device: batch.device)
    let read = Tensor.concatenated([start, before], 1)
    return (model.decode(read, encoded: encoded, mask: batch.mask, cache: nil, mode), labels)
  }

  public func score(_ batch: DeviceBatch, answers: [[Int32]]) -> Tensor {
    let tree = AnswerTree(answers)
    return Seq2SeqReading(model, batch, room: tree.room).score(tree)
  }

  public func generate(
    _ batch: DeviceBatch, _ settings: GenerationSettings, decode: (([Int32]) -> String)?,
    observe: ((_ row: Int, _ token: Int32) -> Void)?
  ) -> [GeneratedAnswer] {
    Seq2SeqReading(model, batch, room: settings.maxTokens)
      .write(Ending(endTokens: endTokens, settings: settings, decode: decode), observe: observe)
  }
}
