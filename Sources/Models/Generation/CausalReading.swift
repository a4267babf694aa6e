import NN
import Torch

/// Texts in the cache of a decoder, which writes behind them.
final class CausalReading: Reading {
  let first: Tensor
  let context: [[Int32]]
  private let model: any CausalLanguageModel
  private let cache: KeyValueCache
  private var places: WrittenPlaces
  private var pace: DecodingPace

  /// Reads the batch's texts, with room for so many tokens behind each.
  init(_ model: any CausalLanguageModel, _ batch: DeviceBatch, room: Int) {
    let length = batch.tokens.size(1)
    self.model = model
    cache = KeyValueCache(capacity: length + room)
    pace = DecodingPace(room: room)
    places = WrittenPlaces(lengths: batch.lengths, room: room, device: batch.device)
    let hidden = model.hidden(batch.tokens, mask: batch.mask, cache: cache, .evaluation)
    // Rows are padded on the right: each row's own last token writes the answer's first.
    let last = batch.lengths.enumerated().map { row, count in Int64(row * length + count - 1) }
    let picked = hidden.reshaped(-1, model.width).gathered(0, Tensor(last, device: batch.device))
    first = model.logits(picked, .evaluation)
    let tokens = batch.tokens.scalars(Int64.self)
    context = batch.lengths.enumerated().map { row, count in
      tokens[row * length..<row * length + count].map(Int32.init)
    }
  }

  func next(_ tokens: Tensor) -> Tensor {
    let mode = pace.next()
    let hidden = model.hidden(tokens.unsqueezed(1), places.next(), cache: cache, mode)
    return model.logits(hidden.squeezed(1), mode)
  }

  func select(rows: Tensor) {
    cache.select(rows: rows)
    places.select(rows: rows)
    pace.select(rows: rows)
  }

  func hidden(_ tree: AnswerTree) -> Tensor {
    let tokens = Tensor(tree.fed.map { Int64($0.token) }, device: first.device).unsqueezed(0)
      .expanded([first.size(0), tree.fed.count])
    return model.hidden(tokens, places.placement(of: tree), cache: cache, .evaluation)
  }

  func scores(_ hidden: Tensor) -> Tensor { model.logits(hidden, .evaluation) }
}
