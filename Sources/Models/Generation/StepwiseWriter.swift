import NN
import Torch

/// Greedy decoding and sampling: one token a row and step; rows that are finished leave the batch.
struct StepwiseWriter {
  let ending: Ending
  let observe: ((_ row: Int, _ token: Int32) -> Void)?
  private var settings: GenerationSettings { ending.settings }

  init(_ ending: Ending, observe: ((_ row: Int, _ token: Int32) -> Void)?) {
    (self.ending, self.observe) = (ending, observe)
  }

  func write(_ reading: any Reading) -> [GeneratedAnswer] {
    var written = reading.context.map { _ in [Int32]() }
    var answers = reading.context.map { _ in GeneratedAnswer(text: ending.decode.map { $0([]) }) }
    // The rows that still write, in the order in which the reading holds them.
    var rows = Array(written.indices)
    var chooser = TokenChooser(settings, context: reading.context, like: reading.first)
    var scores = reading.first
    for _ in 0..<settings.maxTokens {
      var tokens = chooser.choose(scores, rows: rows)
      // The only time that a step waits for the device.
      let values = tokens.scalars(Int64.self).map(Int32.init)
      chooser.add(values)
      var staying: [Int] = []
      for (place, row) in rows.enumerated() {
        written[row].append(values[place])
        let answer = ending.answer(written[row])
        if answer?.end != .endToken { observe?(row, values[place]) }
        if let answer { answers[row] = answer } else { staying.append(place) }
      }
      if staying.isEmpty { break }
      if staying.count < rows.count {
        let kept = Tensor(staying.map(Int64.init), device: tokens.device)
        reading.select(rows: kept)
        chooser.select(rows: kept)
        tokens = tokens.gathered(0, kept)
        rows = staying.map { rows[$0] }
      }
      scores = reading.next(tokens)
    }
    return answers
  }
}

/// Chooses the next token of each row.
struct TokenChooser {
  private let settings: GenerationSettings
  private var present: PresentTokens?
  private var generators: [Generator] = []

  /// - Parameters:
  ///   - settings: how to choose.
  ///   - context: each row's tokens so far.
  ///   - scores: `[rows, vocabulary]`, for its size and device.
  init(_ settings: GenerationSettings, context: [[Int32]], like scores: Tensor) {
    self.settings = settings
    if settings.repetitionPenalty != 1 {
      present = PresentTokens(context, vocabulary: scores.size(1), device: scores.device)
    }
    if case .sampling(let sampling) = settings.strategy {
      generators = context.indices.map(sampling.generator(ofRow:))
    }
  }

  /// - Parameters:
  ///   - scores: float32 `[rows.count, vocabulary]`.
  ///   - rows: which row of the batch each is.
  /// - Returns: int64 `[rows.count]`.
  mutating func choose(_ scores: Tensor, rows: [Int]) -> Tensor {
    let scores =
      present.map { ScoreFilters.penalised(scores, $0.isPresent, penalty: settings.repetitionPenalty) } ?? scores
    guard case .sampling(let sampling) = settings.strategy else { return scores.argmax(1) }
    // 24 bits, so that the float is below 1.
    let draws = rows.map { Float(generators[$0].next() >> 40) / Float(1 << 24) }
    let sums = ScoreFilters.filtered(scores, sampling).softmax(1).cumulativeSum(1)
    let draw = Tensor(draws, shape: [rows.count, 1], device: scores.device)
    let limits = draw * sums.narrowed(1, sums.size(1) - 1..<sums.size(1))
    return (sums .<= limits).to(.int64).sum(1)
  }

  /// Adds each row's newest token.
  func add(_ tokens: [Int32]) { present?.add(tokens) }

  mutating func select(rows: Tensor) { present?.select(rows: rows) }
}
