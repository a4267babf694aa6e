import Foundation
import NN

/// The answers of one row in a beam search: the unfinished and the finished ones.
struct BeamRow {
  struct Beam {
    let tokens: [Int32]
    /// Log-likelihood of the tokens.
    let score: Float
    /// Which of the unfinished answers of the step before it continues.
    let source: Int
  }

  /// Unfinished answers, best first.
  private(set) var running = [Beam(tokens: [], score: 0, source: 0)]
  /// Finished answers with their scores after the length penalty, best first; at most `width`.
  private var finished: [(answer: GeneratedAnswer, score: Float)] = []
  private(set) var isDone = false
  private let settings: GenerationSettings.Beam

  init(_ settings: GenerationSettings.Beam) { self.settings = settings }

  /// The best finished answer.
  var best: GeneratedAnswer {
    finished.first?.answer ?? GeneratedAnswer(tokens: running.first?.tokens ?? [])
  }

  /// Takes the continuations of one step, best first: what they score, which beam they continue and by which token.
  mutating func advance(_ candidates: [(score: Float, beam: Int, token: Int32)], _ ending: Ending) {
    let beams = candidates.map {
      Beam(tokens: running[$0.beam].tokens + [$0.token], score: $0.score, source: $0.beam)
    }
    let answers = beams.map { ending.answer($0.tokens) }
    let length = running[0].tokens.count + 1
    // Continuations behind the first `width` are a reserve for those that end, and do not count as answers.
    for (beam, answer) in zip(beams, answers).prefix(settings.width) {
      if let answer { finished.append((answer, penalised(beam.score, length: length))) }
    }
    finished = Array(stablySorted(finished).prefix(settings.width))
    let open = beams.indices.filter { answers[$0] == nil }
    // Where stop strings end too many, ended answers fill the rows up: they cannot win any more.
    let dead = beams.indices.filter { answers[$0] != nil }
      .map { Beam(tokens: beams[$0].tokens, score: beams[$0].score - 1e9, source: beams[$0].source) }
    running = Array((open.map { beams[$0] } + dead).prefix(settings.width))
    isDone = open.isEmpty || isSettled(length: length, most: ending.settings.maxTokens)
  }

  /// Whether no unfinished answer will replace a finished one, as far as `stopping` looks.
  private func isSettled(length: Int, most: Int) -> Bool {
    guard finished.count == settings.width, let worst = finished.last?.score else { return false }
    switch settings.stopping {
    case .atOnce: return true
    case .estimated: return penalised(running[0].score, length: length) <= worst
    case .never:
      return penalised(running[0].score, length: settings.lengthPenalty > 0 ? most : length) <= worst
    }
  }

  private func penalised(_ score: Float, length: Int) -> Float {
    score / Float(pow(Double(length), settings.lengthPenalty))
  }

  private func stablySorted(_ answers: [(answer: GeneratedAnswer, score: Float)]) -> [(GeneratedAnswer, Float)] {
    answers.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(\.element)
  }
}
