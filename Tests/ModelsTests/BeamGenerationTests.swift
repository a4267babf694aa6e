import NN
import TestSupport
import Testing
import Torch

@Suite struct BeamGenerationTests {
  private static let endTokens: [String: [Int32]] = ["few": [2], "many": Array(1...24)]

  /// Rows of a golden without what stands behind the answers, nor the tokens that end them.
  private func answers(_ golden: Tensor, _ endTokens: [Int32]) -> [[Int32]] {
    (0..<3).map { row in
      Array(golden.at(0, row).scalars(Int64.self).map(Int32.init).prefix { $0 >= 0 && !endTokens.contains($0) })
    }
  }

  @Test(arguments: TinyAnswerer.all) func beamsEqualTheReference(_ name: String) throws {
    let golden = try Golden.load("generation/\(name).safetensors").filter { $0.key.hasPrefix("beam") }
    #expect(golden.count == 12)
    for (key, expected) in golden {
      let parts = key.split(separator: " ").map(String.init)
      let beam = GenerationSettings.Beam(
        width: try #require(Int(parts[1])), lengthPenalty: try #require(Double(parts[2])),
        stopping: try #require(.init(rawValue: parts[3])))
      let endTokens = try #require(Self.endTokens[parts[4]]), tiny = try TinyAnswerer(name, endTokens: endTokens)
      let wanted = answers(expected, endTokens)
      for rows in [[0, 1, 2], [1], [2, 0]] {
        let written = tiny.write(GenerationSettings(maxTokens: 10, strategy: .beam(beam)), rows: rows)
        #expect(written.map(\.tokens) == rows.map { wanted[$0] }, "\(key), rows \(rows)")
      }
    }
  }

  @Test(arguments: TinyAnswerer.all) func penalisedRepetitionEqualsTheReference(_ name: String) throws {
    let golden = try Golden.load("generation/\(name).safetensors")
    for (end, endTokens) in Self.endTokens {
      let tiny = try TinyAnswerer(name, endTokens: endTokens)
      for (width, strategy) in [(1, GenerationSettings.Strategy.greedy), (3, .beam(.init(width: 3)))] {
        let expected = answers(try #require(golden["penalty \(width) \(end)"]), endTokens)
        let settings = GenerationSettings(maxTokens: 10, strategy: strategy, repetitionPenalty: 1.7)
        #expect(tiny.write(settings).map(\.tokens) == expected, "width \(width), \(end)")
      }
    }
  }

  /// A beam of one is greedy decoding.
  @Test func aBeamOfOneIsGreedy() throws {
    let tiny = try TinyAnswerer("llama-grouped")
    let greedy = tiny.write(GenerationSettings(maxTokens: 10))
    #expect(tiny.write(GenerationSettings(maxTokens: 10, strategy: .beam(.init(width: 1)))) == greedy)
  }
}
