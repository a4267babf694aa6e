public import NN
public import Torch

/// Where new tokens stand in their rows, and which tokens each of them sees.
public struct Placement {
  /// int64 `[rows or 1, new]`: for each new token, how many tokens stand before it, padding not counted.
  public let queries: Tensor
  /// int64 `[rows or 1, total]`: the same of all tokens, those of the cache first.
  public let keys: Tensor
  /// bool `[rows or 1, new, total]`; nil where each new token sees all.
  public let isSeen: Tensor?
  /// What `isSeen` says in a word, where nothing was read before.
  let order: Order?

  /// Texts whose tokens see themselves and those before them.
  enum Order {
    /// One a row; `mask [rows, new]` is 0 for padding, nil where nothing is padded.
    case texts(mask: Tensor?)
    /// Several a row.
    case documents(PackedDocuments)
  }

  public init(queries: Tensor, keys: Tensor, isSeen: Tensor?) {
    self.init(queries: queries, keys: keys, isSeen: isSeen, order: nil)
  }

  private init(queries: Tensor, keys: Tensor, isSeen: Tensor?, order: Order?) {
    (self.queries, self.keys, self.isSeen, self.order) = (queries, keys, isSeen, order)
  }

  /// `new` tokens, each seeing itself and those before it, behind `read` others.
  /// - Parameters:
  ///   - read: tokens that the cache holds.
  ///   - new: tokens behind them.
  ///   - mask: float32 `[rows, read + new]`, 1 for a token and 0 for padding; nil where nothing is padded.
  ///   - device: where the tokens are.
  public init(following read: Int, new: Int, mask: Tensor?, device: Device) {
    let total = read + new
    let columns = Tensor.arange(0..<total, device: device).unsqueezed(0)
    let isBefore = columns .<= columns.narrowed(1, read..<total).transposed(0, 1)
    if let mask {
      precondition(mask.size(1) == total, "Placement: the mask is \(mask.shape), not [rows, \(total)]")
      keys = (mask.cumulativeSum(1) - 1).clamped(0...Double(total)).to(.int64)
      isSeen = isBefore.unsqueezed(0) .& (mask .> Tensor.zeros([], device: device)).unsqueezed(1)
    } else {
      keys = columns
      // One new token with nothing padded sees everything.
      isSeen = new == 1 ? nil : isBefore.unsqueezed(0)
    }
    queries = keys.narrowed(1, read..<total)
    order = read == 0 ? .texts(mask: mask) : nil
  }

  /// Documents that stand behind one another: each token sees itself and those before it in its document.
  public init(packed documents: PackedDocuments) {
    (queries, keys) = (documents.positions, documents.positions)
    let columns = Tensor.arange(0..<documents.indices.size(1), device: documents.indices.device).unsqueezed(0)
    let isBefore = (columns .<= columns.transposed(0, 1)).unsqueezed(0)
    isSeen = isBefore .& (documents.indices.unsqueezed(2) .== documents.indices.unsqueezed(1))
    order = .documents(documents)
  }

  /// The same tokens behind `count` vectors of a prompt, which all of them see.
  /// - Parameter isRead: whether the prompt's vectors are read now, each seeing itself and those before it; else the cache
  ///   holds them.
  func behind(_ count: Int, isRead: Bool) -> Placement {
    func shifted(_ places: Tensor, withPrompt: Bool) -> Tensor {
      let moved = (places + Double(count)).to(.int64)
      let front = Tensor.arange(0..<count, device: places.device).unsqueezed(0).expanded([places.size(0), count])
      return withPrompt ? .concatenated([front, moved], 1) : moved
    }
    func all(_ rows: Int, _ reading: Int, _ read: Int, _ value: Double) -> Tensor {
      .full([rows, reading, read], value, dtype: .bool, device: keys.device)
    }
    let new = queries.size(1), total = keys.size(1)
    let places = (queries: shifted(queries, withPrompt: isRead), keys: shifted(keys, withPrompt: true))
    guard isRead else {
      return Placement(
        queries: places.queries, keys: places.keys,
        isSeen: isSeen.map { .concatenated([all($0.size(0), new, count, 1), $0], 2) })
    }
    let seen = isSeen ?? all(1, new, total, 1)
    let rows = seen.size(0), columns = Tensor.arange(0..<count, device: keys.device).unsqueezed(0)
    let ofPrompt = (columns .<= columns.transposed(0, 1)).unsqueezed(0).expanded([rows, count, count])
    let front = Tensor.concatenated([ofPrompt, all(rows, count, total, 0)], 2)
    let text = Tensor.concatenated([all(rows, new, count, 1), seen], 2)
    var order: Order?
    if case .texts(let mask) = self.order { order = .texts(mask: mask?.widened(by: count)) }
    return Placement(
      queries: places.queries, keys: places.keys, isSeen: .concatenated([front, text], 1), order: order)
  }

  /// float32 `[rows, new]`, 1 for a token and 0 for padding, where nothing was read before; nil where nothing is padded.
  var tokens: Tensor? {
    switch order {
    case .texts(let mask): mask
    case .documents(let documents): documents.mask
    case nil: nil
    }
  }

  /// float32 `[rows, total]`, 1 for a token and 0 for padding; nil where nothing is padded.
  var mask: Tensor? {
    guard let isSeen, isSeen.size(0) > 1 else { return nil }
    return isSeen.at(1, isSeen.size(1) - 1).to(.float32)
  }
}
