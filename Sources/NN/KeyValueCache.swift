public import Torch

/// The keys and values of all layers of a decoder for the tokens it has read, so that each step reads only the new ones.
///
/// Memory is taken once, at the first step, for `capacity` tokens of each row. For use without gradients: steps write
/// into the same memory.
public final class KeyValueCache {
  /// Most tokens of a row.
  public let capacity: Int
  /// Tokens read so far, padding included.
  public private(set) var length = 0
  /// Vectors of a soft prompt that stand before the tokens; they count neither in `length` nor in `capacity`.
  public private(set) var prompt = 0
  private var layers: [(keys: Tensor, values: Tensor)] = []
  private var encoded: [(keys: Tensor, values: Tensor)] = []
  private var encodedMask: Tensor?
  private var recency: Tensor?

  public init(capacity: Int) { self.capacity = capacity }

  /// Stores the new keys and values `[rows, heads, new, width]` of a layer, and gives those of all tokens so far.
  /// The first step's are those of the prompt too. The layers of one step come in order, from 0; `advance` ends the step.
  public func append(_ keys: Tensor, _ values: Tensor, layer: Int) -> (keys: Tensor, values: Tensor) {
    let start = length == 0 ? 0 : prompt + length, end = start + keys.size(2)
    precondition(
      end <= prompt + capacity, "KeyValueCache: \(end - prompt) tokens do not fit a capacity of \(capacity)")
    if layer == layers.count { layers.append((room(keys), room(values))) }
    let store = layers[layer]
    store.keys.narrowed(2, start..<end).copy(from: keys)
    store.values.narrowed(2, start..<end).copy(from: values)
    return (store.keys.narrowed(2, 0..<end), store.values.narrowed(2, 0..<end))
  }

  /// Stores one new token a row for a layer, and lets its queries attend to all tokens so far; on the CPU.
  /// - Parameters:
  ///   - queries: `[rows, heads, width]`.
  ///   - new: keys and values `[rows, stored heads, width]`.
  ///   - angles: `[rows or 1, width]`, rotate queries and keys; nil for none.
  ///   - mask: added to the scores, broadcast to `[rows, heads, 1, tokens]`.
  ///   - scale: multiplies the scores.
  ///   - layer: as in `append`, which must have stored a first text.
  /// - Returns: `[rows, heads, width]`.
  public func attend(
    _ queries: Tensor, _ new: (key: Tensor, value: Tensor), angles: (cos: Tensor, sin: Tensor)?, mask: Tensor?,
    scale: Double, layer: Int
  ) -> Tensor {
    precondition(length < capacity, "KeyValueCache: \(length + 1) tokens do not fit a capacity of \(capacity)")
    let store = layers[layer]
    return .attentionStep(
      queries, new: new, angles: angles, keys: store.keys, values: store.values, length: prompt + length + 1,
      mask: mask, scale: scale)
  }

  /// Makes room for the vectors of a prompt, before the first step. A cache that was emptied takes the same number again.
  public func reserve(prompt count: Int) {
    precondition(
      length == 0 && (layers.isEmpty || prompt == count), "KeyValueCache: no room for a prompt of \(count)")
    prompt = count
  }

  /// Counts the tokens that all layers have stored.
  public func advance(by count: Int) { length += count }

  /// The keys and values `[rows, heads, length, width]` of the encoder's tokens for a layer: made at the first step.
  public func encoded(layer: Int, _ make: () -> (keys: Tensor, values: Tensor)) -> (keys: Tensor, values: Tensor) {
    if layer == encoded.count { encoded.append(make()) }
    return encoded[layer]
  }

  /// What is added to the scores of the encoder's tokens, `[rows, 1, 1, length]`: made at the first step.
  public func encodedMask(_ make: () -> Tensor) -> Tensor {
    let mask = encodedMask ?? make()
    encodedMask = mask
    return mask
  }

  /// The bias of the newest token on all so far, by how far back they stand: `[1, heads, 1, tokens]`.
  /// - Parameter make: gives that of the last of so many tokens on all of them; asked once, for a full cache.
  public func recency(_ make: (_ tokens: Int) -> Tensor) -> Tensor {
    let most = prompt + capacity
    let full = recency ?? make(most)
    recency = full
    return full.narrowed(3, most - (prompt + length + 1)..<most)
  }

  /// Takes these rows (int64 `[n]`, of the present ones) in place of the present ones: the survivors of a beam search,
  /// or the unfinished. Masks that go with the rows are the caller's to select.
  public func select(rows: Tensor) {
    for (layer, store) in layers.enumerated() {
      layers[layer] = (selected(store.keys, rows), selected(store.values, rows))
    }
    encoded = encoded.map { ($0.keys.gathered(0, rows), $0.values.gathered(0, rows)) }
    encodedMask = encodedMask?.gathered(0, rows)
  }

  /// Fresh memory with the rows' tokens so far.
  private func selected(_ store: Tensor, _ rows: Tensor) -> Tensor {
    let read = store.narrowed(2, 0..<prompt + length).gathered(0, rows)
    let moved = room(read)
    moved.narrowed(2, 0..<prompt + length).copy(from: read)
    return moved
  }

  /// Memory for the prompt and `capacity` tokens of each row of `part [rows, heads, _, width]`.
  private func room(_ part: Tensor) -> Tensor {
    .zeros([part.size(0), part.size(1), prompt + capacity, part.size(3)], dtype: part.dtype, device: part.device)
  }
}
