import NN
import Testing
import Torch

@testable import Models

@Suite struct GenerationTests {
  @Test(arguments: ["llama-grouped", "llama-window", "t5-tied"])
  func rowsThatEndDoNotChangeTheOthers(_ name: String) throws {
    let free = try TinyAnswerer(name, endTokens: []).write(GenerationSettings(maxTokens: 10)).map(\.tokens)
    // The fourth token of the first row ends an answer wherever it comes up.
    let end = free[0][3]
    let answers = try TinyAnswerer(name, endTokens: [end]).write(GenerationSettings(maxTokens: 10))
    for (answer, tokens) in zip(answers, free) {
      #expect(answer.tokens == Array(tokens.prefix { $0 != end }))
      #expect(answer.end == (tokens.contains(end) ? .endToken : .length))
    }
  }

  @Test func aStopStringEndsTheAnswerAndIsCutOff() throws {
    let tiny = try TinyAnswerer("llama-grouped", endTokens: [])
    let free = tiny.write(GenerationSettings(maxTokens: 10)).map(\.tokens)
    let stop = TinyAnswerer.text(Array(free[0][3...4]))
    let settings = GenerationSettings(maxTokens: 10, stopStrings: ["never", stop])
    let answers = inference { tiny.model.generate(tiny.batch(), settings, decode: TinyAnswerer.text, observe: nil) }
    #expect(answers[0].text == TinyAnswerer.text(Array(free[0].prefix(3))))
    #expect(answers[0].tokens == Array(free[0].prefix(5)))
    #expect(answers[0].end == .stopString)
    #expect(answers[1] == GeneratedAnswer(tokens: free[1], text: TinyAnswerer.text(free[1]), end: .length))
  }

  @Test func stopStringsEndBeamsToo() throws {
    let tiny = try TinyAnswerer("llama-grouped", endTokens: [])
    let beam = GenerationSettings.Strategy.beam(.init(width: 3, lengthPenalty: 0, stopping: .atOnce))
    let settings = GenerationSettings(maxTokens: 10, strategy: beam, stopStrings: ["1"])
    let answers = inference { tiny.model.generate(tiny.batch(), settings, decode: TinyAnswerer.text, observe: nil) }
    for answer in answers where answer.end == .stopString { #expect(answer.text?.contains("1") == false) }
    #expect(answers.contains { $0.end == .stopString })
  }

  @Test(arguments: [GenerationSettings.Strategy.greedy, .beam(.init(width: 2))])
  func tokensAreToldAsTheyAreWritten(_ strategy: GenerationSettings.Strategy) throws {
    let tiny = try TinyAnswerer("t5-tied", endTokens: Array(1...24))
    var told = [[Int32]](repeating: [], count: 3)
    let settings = GenerationSettings(maxTokens: 10, strategy: strategy)
    let answers = inference {
      tiny.model.generate(tiny.batch(), settings, decode: nil) { row, token in told[row].append(token) }
    }
    #expect(told == answers.map(\.tokens))
  }

  @Test func nothingIsWrittenInNoTokens() throws {
    let answers = try TinyAnswerer("llama-grouped").write(GenerationSettings(maxTokens: 0))
    #expect(answers == [GeneratedAnswer](repeating: GeneratedAnswer(), count: 3))
  }

  @Test func answersThatBeginAlikeShareWhatIsRead() {
    let tree = AnswerTree([[5, 6, 2], [5, 2], [5, 6, 7, 2], [9]])
    #expect(tree.fed.map(\.token) == [5, 6, 7])
    #expect(tree.isSeen == [[true, false, false], [true, true, false], [true, true, true]])
    #expect(tree.steps.count == 7)
    #expect(tree.paths.map(\.count) == [3, 2, 4, 1])
  }

  @Test(arguments: TinyAnswerer.all) func scoresOfABranchAreThoseOfTheAnswerAlone(_ name: String) throws {
    let tiny = try TinyAnswerer(name)
    let answers: [[Int32]] = [[7], [7, 9, 2], [7, 9, 11, 12, 2], [30, 9, 11, 2], [7, 9, 2]]
    let together = inference { tiny.model.score(tiny.batch(), answers: answers) }
    #expect(together.shape == [3, 5])
    for (column, answer) in answers.enumerated() {
      for row in 0..<3 {
        let alone = inference { tiny.model.score(tiny.batch([row]), answers: [answer]) }
        #expect(abs(alone.item() - together.at(0, row).at(0, column).item()) < 1e-5, "row \(row), \(answer)")
      }
    }
  }
}
