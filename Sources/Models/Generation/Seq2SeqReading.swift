import NN
import Torch

/// Texts that an encoder has read, and the cache of the decoder that answers.
final class Seq2SeqReading: Reading {
  let first: Tensor
  let context: [[Int32]]
  private let model: any SequenceToSequenceModel
  private let cache: KeyValueCache
  private var encoded: Tensor
  private var mask: Tensor?
  private var places: WrittenPlaces
  private var pace: DecodingPace

  /// Reads the batch's texts, with room for so many tokens of each answer.
  init(_ model: any SequenceToSequenceModel, _ batch: DeviceBatch, room: Int) {
    self.model = model
    (encoded, mask) = (model.encode(batch.tokens, mask: batch.mask, .evaluation), batch.mask)
    cache = KeyValueCache(capacity: 1 + room)
    pace = DecodingPace(room: room)
    // The decoder reads a token that stands before every answer.
    context = [[Int32]](repeating: [Int32(model.startToken)], count: batch.rows)
    places = WrittenPlaces(lengths: batch.lengths.map { _ in 1 }, room: room, device: batch.device)
    let start = Tensor.full([batch.rows, 1], Double(model.startToken), dtype: .int64, device: batch.device)
    let hidden = model.decode(start, encoded: encoded, mask: mask, cache: cache, .evaluation)
    first = model.logits(hidden.squeezed(1), .evaluation)
  }

  func next(_ tokens: Tensor) -> Tensor {
    let mode = pace.next()
    return model.logits(decode(tokens.unsqueezed(1), places.next(), mode).squeezed(1), mode)
  }

  func select(rows: Tensor) {
    cache.select(rows: rows)
    pace.select(rows: rows)
    (encoded, mask) = (encoded.gathered(0, rows), mask?.gathered(0, rows))
  }

  func hidden(_ tree: AnswerTree) -> Tensor {
    let tokens = Tensor(tree.fed.map { Int64($0.token) }, device: first.device).unsqueezed(0)
      .expanded([first.size(0), tree.fed.count])
    return decode(tokens, places.placement(of: tree), .evaluation)
  }

  func scores(_ hidden: Tensor) -> Tensor { model.logits(hidden, .evaluation) }

  private func decode(_ tokens: Tensor, _ placement: Placement, _ mode: Mode) -> Tensor {
    model.decode(tokens, placement, encoded: encoded, mask: mask, cache: cache, mode)
  }
}
