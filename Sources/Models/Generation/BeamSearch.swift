import NN
import Torch

/// Beam search with the results of transformers 5.23 (`generation/utils.py`, `_beam_search`), row by row: what one row
/// answers does not depend on the others, and rows that are done leave the batch.
struct BeamSearch {
  private let settings: GenerationSettings.Beam
  private let ending: Ending

  init(_ settings: GenerationSettings.Beam, _ ending: Ending) { (self.settings, self.ending) = (settings, ending) }

  func write(_ reading: any Reading) -> [GeneratedAnswer] {
    var rows = reading.context.map { _ in BeamRow(settings) }
    var open = Array(rows.indices)
    var present =
      ending.settings.repetitionPenalty == 1
      ? nil : PresentTokens(reading.context, vocabulary: reading.first.size(1), device: reading.first.device)
    var scores = reading.first
    while true {
      let candidates = candidates(scores, present, open.map { rows[$0].running.map(\.score) })
      for (place, row) in open.enumerated() { rows[row].advance(candidates[place], ending) }
      let width = scores.size(0) / open.count
      let staying = open.enumerated().filter { !rows[$0.element].isDone }
      if staying.isEmpty { break }
      let sources = staying.flatMap { place, row in rows[row].running.map { Int64(place * width + $0.source) } }
      let newest = staying.flatMap { _, row in rows[row].running.compactMap(\.tokens.last) }
      let kept = Tensor(sources, device: scores.device)
      reading.select(rows: kept)
      present?.select(rows: kept)
      present?.add(newest)
      open = staying.map(\.element)
      scores = reading.next(Tensor(newest.map(Int64.init), device: scores.device))
    }
    return rows.map(\.best)
  }

  /// The likeliest continuations of each row, best first.
  /// - Parameters:
  ///   - scores: float32 `[rows · beams, vocabulary]`.
  ///   - present: the tokens of each beam.
  ///   - running: log-likelihoods of each row's beams.
  private func candidates(
    _ scores: Tensor, _ present: PresentTokens?, _ running: [[Float]]
  ) -> [[(score: Float, beam: Int, token: Int32)]] {
    let vocabulary = scores.size(1), rows = running.count
    var likelihoods = scores.logSoftmax(1)
    if let present {
      likelihoods = ScoreFilters.penalised(
        likelihoods, present.isPresent, penalty: ending.settings.repetitionPenalty)
    }
    let sums = likelihoods + Tensor(running.flatMap(\.self), device: scores.device).unsqueezed(1)
    // Each beam may end by each end token, and `width` unfinished ones must remain.
    let count = min(sums.count / rows, max(2, 1 + ending.endTokens.count) * settings.width)
    let (values, indices) = sums.reshaped(rows, -1).top(count)
    let found = zip(values.values(), indices.scalars(Int64.self).map(Int.init))
      .map { (score: $0, beam: $1 / vocabulary, token: Int32($1 % vocabulary)) }
    return stride(from: 0, to: found.count, by: count).map { Array(found[$0..<$0 + count]) }
  }
}
