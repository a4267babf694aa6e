import Foundation
import Models
import NN
import Torch

/// What both sides write behind and score; `Benchmarks/peers/generation.py prepare` makes it.
struct GenerationWork: Decodable {
  let prompts: [[Int32]]
  let options: [[Int32]]
  let newTokens: Int

  /// The prompts in one batch, padded on the right.
  var batch: DeviceBatch {
    let length = prompts.map(\.count).max() ?? 0
    let shape = [prompts.count, length]
    let tokens = prompts.flatMap { $0.map(Int64.init) + [Int64](repeating: 0, count: length - $0.count) }
    let mask = prompts.flatMap { prompt in (0..<length).map { $0 < prompt.count ? Float(1) : 0 } }
    let zeros = prompts.map { _ in 0 }
    return DeviceBatch(
      tokens: Tensor(tokens, shape: shape), segments: .zeros(shape, dtype: .int64), mask: Tensor(mask, shape: shape),
      lengths: prompts.map(\.count), targets: zeros, experiences: zeros, candidates: zeros, candidateSets: [[]])
  }
}

/// What one turn of the generation benchmark took.
struct GenerationTurn: Encodable {
  var seconds: Double
  /// Of all threads: what the machine does besides hardly changes them.
  var cpuSeconds: Double
  /// Tokens written, or options scored.
  var count: Int
  /// Sum of the tokens, or of the scores: both sides should agree, up to rounding.
  var check: Double
}

/// Answers each line of the standard input ("generate" or "score") with one timed turn, as one line of JSON.
func serveGeneration(folder: String, dtype: DType) throws {
  let url = URL(fileURLWithPath: folder)
  let work = try JSONDecoder().decode(
    GenerationWork.self, from: Data(contentsOf: url.appendingPathComponent("work.json")))
  let model: any Generates
  if folder.hasSuffix("t5") {
    let loaded = try ModelIndex.loadSequenceToSequence(url, dtype: dtype, device: .cpu, seed: 0)
    model = Seq2SeqAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [])
  } else {
    let loaded = try ModelIndex.loadCausal(url, dtype: dtype, device: .cpu, seed: 0)
    model = CausalAnswerer(loaded.model, parameters: loaded.parameters, endTokens: [])
  }
  let batch = work.batch
  while let line = readLine() {
    let start = ContinuousClock.now, cpuStart = clock()
    var turn = GenerationTurn(seconds: 0, cpuSeconds: 0, count: 0, check: 0)
    inference {
      if line == "score" {
        let scores = model.score(batch, answers: work.options)
        (turn.count, turn.check) = (scores.count, scores.sum().item())
      } else {
        let answers = model.generate(batch, maxTokens: work.newTokens)
        turn.count = answers.reduce(0) { $0 + $1.count }
        turn.check = Double(answers.joined().reduce(0) { $0 + Int($1) })
      }
    }
    let elapsed = start.duration(to: .now)
    turn.seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    turn.cpuSeconds = Double(clock() - cpuStart) / Double(CLOCKS_PER_SEC)
    print(String(decoding: try JSONEncoder().encode(turn), as: UTF8.self))
    fflush(nil)
  }
}
