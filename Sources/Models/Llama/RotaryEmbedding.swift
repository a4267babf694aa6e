import Foundation
import NN
public import Torch

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864), halves rotated against each other as in the
/// reference's Llama, with linear and Llama-3 scaling.
public struct RotaryEmbedding {
  /// The keys of `config.json` on positions, in their older (`rope_theta`, `rope_scaling`) and newer
  /// (`rope_parameters`) form.
  public struct Configuration: Decodable, Sendable {
    public let base: Double
    public let scaling: Scaling

    private enum CodingKeys: String, CodingKey {
      case base = "rope_theta", older = "rope_scaling", newer = "rope_parameters"
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      // The reference puts a `rope_scaling` that says anything in place of `rope_parameters`.
      let older = try values.decodeIfPresent(Keys.self, forKey: .older).flatMap { $0 == Keys() ? nil : $0 }
      let keys = try older ?? values.decodeIfPresent(Keys.self, forKey: .newer)
      base = try keys?.rope_theta ?? values.decodeIfPresent(Double.self, forKey: .base) ?? 10_000
      do {
        scaling = try Scaling(keys)
      } catch {
        throw DecodingError.dataCorruptedError(
          forKey: older == nil ? .newer : .older, in: values, debugDescription: error.reason)
      }
    }
  }

  public enum Scaling: Sendable {
    case none
    /// Positions divided by a factor.
    case linear(factor: Double)
    /// Long wavelengths divided by a factor, short ones kept, those between interpolated.
    case llama3(factor: Double, low: Double, high: Double, originalPositions: Double)

    fileprivate init(_ keys: Keys?) throws(Refusal) {
      func number(_ key: String, _ value: Double?) throws(Refusal) -> Double {
        guard let value, value > 0 else { throw Refusal("'\(key)' is missing or not above 0") }
        return value
      }
      switch keys?.name {
      case nil, "default"?: self = .none
      case "linear"?: self = .linear(factor: try number("factor", keys?.factor))
      case "llama3"?:
        self = .llama3(
          factor: try number("factor", keys?.factor), low: try number("low_freq_factor", keys?.low_freq_factor),
          high: try number("high_freq_factor", keys?.high_freq_factor),
          originalPositions: try number(
            "original_max_position_embeddings", keys?.original_max_position_embeddings))
      case let name?:
        throw Refusal("the rope type '\(name)' is not supported. Supported: default, linear, llama3")
      }
    }
  }

  fileprivate struct Refusal: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  struct Keys: Decodable, Equatable {
    var rope_type: String?
    var type: String?
    var rope_theta: Double?
    var factor: Double?
    var low_freq_factor: Double?
    var high_freq_factor: Double?
    var original_max_position_embeddings: Double?
    var name: String? { rope_type ?? type }
  }

  /// Radians a position, float32 `[width / 2]`.
  private let frequencies: Tensor

  public init(_ configuration: Configuration, width: Int, device: Device) {
    let frequencies = (0..<width / 2).map { index in
      let frequency = 1 / pow(configuration.base, 2 * Double(index) / Double(width))
      return Float(Self.scaled(frequency, configuration.scaling))
    }
    self.frequencies = Tensor(frequencies, device: device)
  }

  private static func scaled(_ frequency: Double, _ scaling: Scaling) -> Double {
    switch scaling {
    case .none: return frequency
    case .linear(let factor): return frequency / factor
    case .llama3(let factor, let low, let high, let originalPositions):
      let turns = originalPositions * frequency / (2 * .pi)
      if turns < low { return frequency / factor }
      if turns > high { return frequency }
      let share = (turns - low) / (high - low)
      return (1 - share) * frequency / factor + share * frequency
    }
  }

  /// Cosines and sines at `positions` (int64 `[rows, length]`): each `[rows, length, 1, width]`.
  public func angles(_ positions: Tensor, dtype: DType) -> (cos: Tensor, sin: Tensor) {
    let angles = positions.to(.float32).unsqueezed(2) * frequencies
    let both = Tensor.concatenated([angles, angles], 2).unsqueezed(2)
    return (both.cos().to(dtype), both.sin().to(dtype))
  }

  /// `x [rows, length, heads, width]`, rotated.
  public static func rotate(_ x: Tensor, _ angles: (cos: Tensor, sin: Tensor)) -> Tensor {
    x.rotated(cos: angles.cos, sin: angles.sin)
  }
}
