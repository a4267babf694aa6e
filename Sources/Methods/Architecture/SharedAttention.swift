import Continual
public import Foundation
import NN
import Torch

/// The attention of inputs to experiences: a key for each experience, and a query made of an input's token embeddings.
///
/// q = LayerNorm(up(silu(down(max over the input's tokens of their embeddings)))), Zhao et al. 2024, §4.2.
final class SharedAttention {
  private let embeddings: Parameter
  private let down: Parameter, up: Parameter, scale: Parameter, shift: Parameter
  private(set) var keys: [Parameter] = []

  /// Its parameters are named `sapt.…`, in the dtype of the word embeddings.
  init(_ learner: Learner, queryWidth: Int) throws {
    embeddings = try Self.embeddings(learner)
    let scope = Self.scope(learner, embeddings), width = embeddings.shape[1]
    down = scope.parameter("down.weight", [queryWidth, width], .kaimingUniform)
    up = scope.parameter("up.weight", [width, queryWidth], .kaimingUniform)
    scale = scope.parameter("norm.weight", [width], .ones)
    shift = scope.parameter("norm.bias", [width], .zeros)
  }

  /// Adds the key of a new experience, uniform in −1 to 1.
  func addKey(_ learner: Learner) {
    // A column, whose single entry a row makes the bound of `kaimingUniform` 1.
    keys.append(
      Self.scope(learner, embeddings).parameter("key.\(keys.count)", [embeddings.shape[1], 1], .kaimingUniform))
  }

  /// The shared network and the newest key.
  var trained: [Parameter] { [down, up, scale, shift] + keys.suffix(1) }

  /// k·q/√d, float32 `[rows, experiences]`.
  func scores(_ batch: DeviceBatch, _ learner: Learner) -> Tensor {
    let exact = { (parameter: Parameter) -> Tensor in parameter.value.to(.float32) }
    let pooled: Tensor = withoutGradient { self.pooled(batch, learner) }
    let query = pooled.linear(exact(down)).silu().linear(exact(up))
      .layerNorm(exact(scale), exact(shift), epsilon: 1e-5)
    let columns = Tensor.concatenated(keys.map(exact), 1)
    return query.matmul(columns) / Double(embeddings.shape[1]).squareRoot()
  }

  /// The attention, float32 `[rows, experiences]`; rows sum to 1.
  func weights(_ batch: DeviceBatch, _ learner: Learner) -> Tensor { scores(batch, learner).softmax(1) }

  /// The largest value of each feature over an input's tokens, `[rows, width]`.
  private func pooled(_ batch: DeviceBatch, _ learner: Learner) -> Tensor {
    let values = embeddings.value.embedding(batch.tokens).to(.float32)
    guard let isText = batch.textMask(learner.model.answerLayout) else { return values.max(1) }
    return (values + (isText - 1).unsqueezed(2) * 1e30).max(1)
  }

  private static func scope(_ learner: Learner, _ embeddings: Parameter) -> Scope {
    Scope(adaptersOf: learner, like: embeddings) / "sapt"
  }

  /// The word embeddings `[tokens, width]`, as architectures name them: BERT, T5, Llama.
  private static func embeddings(_ learner: Learner) throws -> Parameter {
    let names = ["word_embeddings.weight", "shared.weight", "embed_tokens.weight"]
    let found = learner.parameters.all.first { parameter in
      parameter.role == .backbone && names.contains { parameter.name == $0 || parameter.name.hasSuffix(".\($0)") }
    }
    guard let found else { throw SAPTLoRAError.noEmbeddings }
    return found
  }
}

/// Backbones that `sapt-lora` cannot read.
public enum SAPTLoRAError: LocalizedError, CustomStringConvertible, Equatable {
  /// No parameter is known to be the word embeddings.
  case noEmbeddings
  /// The model was asked to write inputs.
  case cannotWrite
  /// The adapter that writes the inputs of an experience had gradients that are not finite.
  case writerDiverged(experience: String, update: Int)

  public var description: String {
    switch self {
    case .noEmbeddings:
      "sapt-lora reads the word embeddings, and the model has no word_embeddings, shared or embed_tokens. "
        + "Use a model of the BERT, T5 or Llama family."
    case .cannotWrite:
      "sapt-lora with pseudo: written has the model write inputs, and this one answers with a class. Set pseudo: replay, "
        + "or choose a language model (jay list models)."
    case .writerDiverged(let experience, let update):
      "the adapter that writes inputs of '\(experience)' diverged at its update \(update). Lower writer.learningRate of "
        + "sapt-lora."
    }
  }
  public var errorDescription: String? { description }
}
