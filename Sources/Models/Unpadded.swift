import NN
import Torch

/// The tokens of a batch behind one another, without its padding: what layers run over on the CPU.
struct Unpadded {
  /// Where each text begins, and where the last one ends.
  let starts: [Int64]
  /// The place of each token in the batch laid out as one row; nil where nothing is padded.
  private let places: [Int64]?
  /// int64 `[tokens]`: the row of each token.
  let rowsOfTokens: Tensor
  private let rows: Int, length: Int

  /// Nil where the padding has to stay: on other devices, in other dtypes than those of the attention over texts, where
  /// someone counts it, and where it lies within a text.
  /// - Parameters:
  ///   - x: `[rows, length, width]`.
  ///   - mask: float32 `[rows, length]`, 1 for a token and 0 for padding; nil where nothing is padded.
  ///   - documents: the texts of each row, where it holds several.
  ///   - mode: of the pass.
  init?(_ x: Tensor, mask: Tensor?, documents: PackedDocuments? = nil, _ mode: Mode) {
    guard x.device == .cpu, x.dtype == .float32 || x.dtype == .bfloat16, !mode.keepsPadding else { return nil }
    (rows, length) = (x.size(0), x.size(1))
    let texts: [Range<Int>]
    if let documents {
      texts = Self.runs(documents.indices.scalars(Int64.self), length) { $0 >= 0 }
    } else if let mask {
      texts = Self.runs(mask.values(), length) { $0 > 0 }
      guard texts.count == rows, texts.indices.allSatisfy({ texts[$0].lowerBound / x.size(1) == $0 }) else {
        return nil
      }
    } else {
      texts = (0..<rows).map { $0 * x.size(1)..<($0 + 1) * x.size(1) }
    }
    guard !texts.isEmpty else { return nil }
    starts = texts.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int64($1.count)) }
    let found = texts.flatMap { $0.map(Int64.init) }
    places = found.count == rows * length ? nil : found
    rowsOfTokens = Tensor(found.map { [length] in $0 / Int64(length) }, device: x.device)
  }

  /// The texts of a decoder that has read nothing before; nil also where its tokens see each other in another way.
  init?(_ x: Tensor, _ placement: Placement, _ mode: Mode) {
    switch placement.order {
    case .texts(let mask): self.init(x, mask: mask, mode)
    case .documents(let documents): self.init(x, mask: nil, documents: documents, mode)
    case nil: return nil
    }
  }

  /// Stretches of equal values that are tokens, each within a row.
  private static func runs<Value: Equatable>(_ values: [Value], _ length: Int, where isToken: (Value) -> Bool)
    -> [Range<Int>]
  {
    var runs: [Range<Int>] = []
    for (place, value) in values.enumerated() where isToken(value) {
      if let last = runs.last, last.upperBound == place, place % length > 0, values[place - 1] == value {
        runs[runs.count - 1] = last.lowerBound..<place + 1
      } else {
        runs.append(place..<place + 1)
      }
    }
    return runs
  }

  /// `[rows, length, ...]` → `[1, tokens, ...]`.
  func packed(_ x: Tensor) -> Tensor {
    let row = x.reshaped([rows * length] + x.shape.dropFirst(2))
    return (places.map { row.gathered(0, Tensor($0, device: x.device)) } ?? row).unsqueezed(0)
  }

  /// `[1, tokens, width]` → `[rows, length, width]`, zeros in place of padding.
  func padded(_ x: Tensor) -> Tensor {
    let width = x.size(2)
    guard let places else { return x.reshaped(rows, length, width) }
    var sources = [Int64](repeating: Int64(x.size(1)), count: rows * length)
    for (token, place) in places.enumerated() { sources[Int(place)] = Int64(token) }
    let zero = Tensor.zeros([1, width], dtype: x.dtype, device: x.device)
    return Tensor.concatenated([x.squeezed(0), zero]).gathered(0, Tensor(sources, device: x.device))
      .reshaped(rows, length, width)
  }
}

/// Which tokens attend to which.
enum Sight {
  /// Those that a mask lets see, added to the scores: `[rows or 1, heads or 1, new, total]`; nil for all.
  case masked(Tensor?)
  /// Itself and those before it, nothing having been read before.
  case before
  /// Each text's own, the texts standing behind one another; `bias` as in `Tensor.attention`.
  case texts(Spans, bias: Tensor? = nil)
}

extension Tensor {
  /// Attention, its heads side by side.
  /// - Parameters:
  ///   - q: `[rows, new, heads, width]`.
  ///   - k: `[rows, total, stored heads, width]`.
  ///   - v: likewise.
  ///   - sight: which tokens attend to which.
  ///   - prefix: stands in front of the keys; only where `sight` is a mask.
  ///   - scale: multiplies the scores.
  ///   - dropout: in training.
  ///   - mode: of the pass.
  /// - Returns: `[rows, new, heads · width]`.
  static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ sight: Sight, prefix: PrefixSlot? = nil, scale: Double, dropout: Double,
    _ mode: Mode
  ) -> Tensor {
    let shape = [q.size(0), q.size(1), q.size(2) * q.size(3)], dropout = mode.isTraining ? dropout : 0
    switch sight {
    case .texts(let spans, let bias):
      func row(_ x: Tensor) -> Tensor { x.reshaped(-1, x.size(2), x.size(3)) }
      return attention(
        row(q), row(k), row(v), spans: spans, bias: bias, scale: scale, dropout: dropout, generator: &mode.generator
      ).reshaped(shape)
    case .masked, .before:
      var mask: Tensor?, isCausal = true
      if case .masked(let added) = sight { (mask, isCausal) = (added, false) }
      let keys = k.transposed(1, 2), values = v.transposed(1, 2)
      let read = prefix?(keys, values) ?? (keys: keys, values: values)
      return attention(
        q.transposed(1, 2), read.keys.heads(q.size(2)), read.values.heads(q.size(2)), mask: mask, isCausal: isCausal,
        scale: scale, dropout: dropout, generator: &mode.generator
      ).transposed(1, 2).reshaped(shape)
    }
  }

  /// `[rows, stored heads, ...]` → `[rows, heads, ...]`, each repeated for the queries that share it.
  func heads(_ count: Int) -> Tensor {
    let times = count / size(1)
    guard times > 1 else { return self }
    return unsqueezed(2).expanded([size(0), size(1), times, size(2), size(3)]).reshaped(
      size(0), count, size(2), size(3))
  }
}
