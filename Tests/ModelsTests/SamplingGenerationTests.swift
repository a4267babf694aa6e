import Foundation
import NN
import TestSupport
import Testing
import Torch

@testable import Models

@Suite struct SamplingGenerationTests {
  @Test func filteredScoresEqualTheReference() throws {
    let golden = try Golden.load("generation/filters.safetensors")
    let scores = try #require(golden["scores"])
    var compared = 0
    for (key, expected) in golden where key.contains(" ") {
      let parts = key.split(separator: " ").compactMap { Double($0) }
      let sampling = GenerationSettings.Sampling(
        temperature: parts[0], topK: parts[1] == 0 ? nil : Int(parts[1]), topP: parts[2])
      let filtered = ScoreFilters.filtered(scores, sampling).values(), wanted = expected.values()
      #expect(filtered.map(\.isFinite) == wanted.map(\.isFinite), "\(key)")
      #expect(zip(filtered, wanted).allSatisfy { !$0.isFinite || abs($0 - $1) < 1e-5 }, "\(key)")
      compared += 1
    }
    #expect(compared == 5)
  }

  @Test func penalisedScoresEqualTheReference() throws {
    let golden = try Golden.load("generation/filters.safetensors")
    let scores = try #require(golden["scores"]), present = try #require(golden["present"])
    let rows = (0..<4).map { present.at(0, $0).scalars(Int64.self).map(Int32.init) }
    let tokens = PresentTokens(rows, vocabulary: 40, device: .cpu)
    let penalised = ScoreFilters.penalised(scores, tokens.isPresent, penalty: 1.7)
    #expect(difference(penalised, try #require(golden["penalised"]), atol: 1e-6) == nil)
  }

  @Test func tokensAreDrawnAsOftenAsTheirProbabilitySays() throws {
    let probabilities: [Float] = [0.5, 0.25, 0.15, 0.1], draws = 4000
    let scores = Tensor(probabilities.map { logf($0) }, shape: [1, 4]).expanded([draws, 4])
    let settings = GenerationSettings(
      maxTokens: 1, strategy: .sampling(.init(generator: Generator(seed: 3))))
    var chooser = TokenChooser(settings, context: [[Int32]](repeating: [], count: draws), like: scores)
    var counts = [0.0, 0, 0, 0]
    for token in chooser.choose(scores, rows: Array(0..<draws)).scalars(Int64.self) { counts[Int(token)] += 1 }
    // Chi-square with three degrees of freedom: above 16.3 once in a thousand seeds.
    let distance = zip(counts, probabilities).reduce(0.0) { sum, pair in
      let expected = Double(pair.1) * Double(draws)
      return sum + (pair.0 - expected) * (pair.0 - expected) / expected
    }
    #expect(distance < 16.3, "\(counts)")
  }

  @Test func aSeedDecidesAndARowsAnswerDoesNotDependOnTheOthers() throws {
    let tiny = try TinyAnswerer("llama-grouped", endTokens: Array(1...24))
    func settings(_ seed: UInt64) -> GenerationSettings {
      let sampling = GenerationSettings.Sampling(temperature: 1.5, topK: 60, generator: Generator(seed: seed))
      return GenerationSettings(maxTokens: 12, strategy: .sampling(sampling))
    }
    let answers = tiny.write(settings(1))
    #expect(tiny.write(settings(1)) == answers)
    #expect(tiny.write(settings(2)) != answers)
    #expect(tiny.write(settings(1), rows: [0]) == [answers[0]])
    #expect(tiny.write(settings(1), rows: [0, 1]) == Array(answers.prefix(2)))
  }
}
