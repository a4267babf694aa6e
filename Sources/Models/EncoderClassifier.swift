public import NN
public import Torch

/// An encoder, a pooling and a bank of heads.
public final class EncoderClassifier: Classifies {
  /// How a sequence becomes one vector.
  public enum Pooling: String, Sendable, Codable, CaseIterable {
    /// Mean over real tokens (sentence encoders such as MiniLM).
    case mean
    /// The first token's vector.
    case cls
  }

  public let parameters: ParameterStore
  public let heads: HeadBank
  private let encoder: any TextEncoder
  private let pooling: Pooling

  /// An encoder with no heads yet. `dropout` acts on the pooled vector, in training; heads are named below `scope`.
  public init(_ encoder: any TextEncoder, pooling: Pooling, dropout: Double, heads scope: Scope) {
    self.encoder = encoder
    self.pooling = pooling
    parameters = scope.store
    heads = HeadBank(width: encoder.width, dropout: dropout, in: scope)
  }

  public var maxLength: Int { encoder.maxLength }
  public var attentionHeads: Int { encoder.attentionHeads }
  public var featureWidth: Int { encoder.width }

  /// `[rows, length, width]`: the encoder's last hidden states.
  public func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { encoder.hidden(batch, mode) }

  public func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor {
    let hidden = encoder.hidden(batch, mode)
    switch pooling {
    case .cls: return hidden.at(1, 0)
    case .mean: return hidden.tokenMean(batch.mask)
    }
  }
}

extension Tensor {
  /// The mean over the tokens of each row that are not padding: `[rows, length, width]` → `[rows, width]`.
  func tokenMean(_ mask: Tensor?) -> Tensor {
    guard let mask else { return mean(1) }
    // A product of weights 1/length with the positions: one pass, and no [rows, length, width] temporary.
    let weights = (mask / mask.sum(1, keep: true)).to(dtype).unsqueezed(1)
    return weights.matmul(self).squeezed(1)
  }
}
