import Adapters
import Evaluation
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct EPITests {
  private func toy(knowsTask: Bool = false, sharesLabels: Bool = false) throws -> (Toy, EPI) {
    let train = (0..<3).map { experience in
      ApartToy.examples(experience, seed: UInt64(experience), target: sharesLabels ? 0 : experience * 3)
    }
    var method: EPI?
    let toy = try Toy(try Trace.model(), train: train, knowsTask: knowsTask, sharesLabels: sharesLabels) { learner in
      let made = EPI(configured { ($0.rank, $0.alpha, $0.dropout) = (4, 8, 0) }, learner: learner)
      method = made
      return [made]
    }
    return (toy, try #require(method))
  }

  /// The scores of examples, predicted without being told their task, and the classes among which each was.
  private func predicted(_ examples: [TokenizedExample], _ toy: Toy, _ method: EPI) throws -> ([Float], [[Int]]) {
    try method.predicting(nil, learner: toy.learner) {
      let batch = toy.learner.announced(Batch(examples), to: [method])
      let output = inference { toy.learner.model(batch, .evaluation) }
      return (try #require(output.classes).values.values(), batch.candidates.map { batch.candidateSets[$0] })
    }
  }

  private func classes(_ experience: Int) -> [Int] { Array(experience * 3..<experience * 3 + 3) }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try LoRATrace("epi") { EPI(goldenLoRA, learner: $0) }
    #expect(try trace.disagreements() == [])
  }

  @Test func distancesAreThoseOfTheDefinition() throws {
    // Two classes in the first experience, one and a lone text in the second.
    let first: [[Double]] = [[0, 0], [2, 1], [1, 3], [6, 0], [8, 2], [7, 7]]
    let second: [[Double]] = [[0, 9], [3, 8], [1, 6], [-5, -5]]
    func covariance(_ x: ArraySlice<[Double]>) -> [Double] {
      let n = Double(x.count), mean = (0..<2).map { column in x.reduce(0) { $0 + $1[column] } / n }
      return [(0, 0), (0, 1), (1, 1)].map { i, j in
        x.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / (n - 1)
      }
    }
    func mean(_ x: ArraySlice<[Double]>) -> [Double] {
      (0..<2).map { i in x.reduce(0) { $0 + $1[i] } / Double(x.count) }
    }
    let (a, b, c) = (covariance(first[..<3]), covariance(first[3...]), covariance(second[..<3]))
    let s = (0..<3).map { ((a[$0] + b[$0]) / 2 + c[$0]) / 2 }
    let means = [[mean(first[..<3]), mean(first[3...])], [mean(second[..<3]), second[3]]]
    func distance(_ x: [Double], _ m: [Double]) -> Double {
      let d = [x[0] - m[0], x[1] - m[1]]
      return (d[0] * d[0] * s[2] - 2 * d[0] * d[1] * s[1] + d[1] * d[1] * s[0]) / (s[0] * s[2] - s[1] * s[1])
    }
    func tensor(_ x: [[Double]]) -> Tensor { Tensor(x.joined().map(Float.init), shape: [x.count, 2]) }
    var state = MethodState()
    #expect(NearestGaussian(state) == nil)
    NearestGaussian.add(tensor(first), classes: [4, 4, 4, 2, 2, 2], experience: 1, to: &state)
    NearestGaussian.add(tensor(second), classes: [5, 5, 5, 6], experience: 3, to: &state)
    let gaussians = try #require(NearestGaussian(state)), texts: [[Double]] = [[1, 1], [5, 5], [0, 7], [-4, -5]]
    let expected = texts.map { x in means.map { $0.map { distance(x, $0) }.min() ?? 0 } }
    #expect(
      difference(
        gaussians.distances(to: tensor(texts)), Tensor(Array(expected.joined()), shape: [4, 2]), atol: 1e-5) == nil)
    #expect(gaussians.choose(for: tensor(texts)) == expected.map { $0[0] < $0[1] ? 1 : 3 })
    #expect(gaussians.choose(for: tensor(texts)) == [1, 1, 3, 3])
  }

  @Test func directionsWithoutVarianceAreLeftOut() throws {
    var state = MethodState()
    let x = Tensor([1, 5, 3, 5, 8, 5] as [Float], shape: [3, 2])
    NearestGaussian.add(x, classes: [0, 0, 0], experience: 0, to: &state)
    NearestGaussian.add(x + Tensor([10, 3] as [Float]), classes: [1, 1, 1], experience: 1, to: &state)
    let distances = try #require(NearestGaussian(state)).distances(to: Tensor([5, -70] as [Float], shape: [1, 2]))
    // Means 4 and 14, variance 13.
    #expect(difference(distances, Tensor([1.0 / 13, 81.0 / 13], shape: [1, 2]), atol: 1e-6) == nil)
  }

  @Test func textsGetTheAdapterAndTheClassesOfTheirExperience() throws {
    let (toy, method) = try toy()
    try toy.trainer.run()
    let fresh = (0..<3).flatMap { ApartToy.examples($0, seed: 50 + UInt64($0), target: $0 * 3) }.shuffled(seed: 1)
    let (scores, candidates) = try predicted(fresh, toy, method)
    #expect(candidates == fresh.map { classes($0.experience) })
    #expect(scores.count { $0.isFinite } == fresh.count * 3)
    let answers = try toy.learner.predict(fresh, methods: [method], settings: toy.trainer.evaluation)
    #expect(answers.map { $0 / 3 } == fresh.map(\.experience))
    #expect(zip(answers, fresh).count { $0 == $1.target } > fresh.count * 2 / 3)
  }

  @Test func laterExperiencesLeavePredictionsToTheBit() throws {
    let (toy, method) = try toy()
    let first = ApartToy.examples(0, seed: 50, target: 0), second = ApartToy.examples(1, seed: 51, target: 3)
    let mixed = Array(first.prefix(7) + second.prefix(5))
    var known: [[Float]] = [], knownMixed: [[Float]] = []
    toy.recorder.onEnd = { trainer in
      known.append(try predicted(first, toy, method).0)
      guard trainer.progress.experience > 1 else { return }
      let (scores, candidates) = try predicted(mixed, toy, method)
      #expect(candidates == mixed.map { classes($0.experience) })
      knownMixed.append(scores)
    }
    try toy.trainer.run()
    #expect(known.count == 3 && known[1] == known[0] && known[2] == known[0])
    #expect(knownMixed.count == 2 && knownMixed[1] == knownMixed[0])
  }

  @Test func aTaskThatIsToldDecides() throws {
    let (toy, method) = try toy(knowsTask: true)
    let texts = ApartToy.examples(0, seed: 50, target: 0)
    var newest: [[Float]] = []
    toy.recorder.onEnd = { _ in newest.append(try toy.features(texts).values()) }
    try toy.trainer.run()
    for experience in 0..<3 {
      let told = try method.predicting(experience, learner: toy.learner) { try toy.features(texts).values() }
      #expect(told == newest[experience])
    }
    #expect(newest[0] != newest[1] && newest[1] != newest[2])
  }

  @Test func earlierAdaptersAndHeadsAreFrozenToTheBit() throws {
    let (toy, _) = try toy()
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot { $0.role != .backbone }) }
    let backbone = toy.parameters.snapshot { $0.role == .backbone }
    try toy.trainer.run()
    let final = toy.parameters.snapshot { $0.role != .backbone }
    for index in 0..<2 {
      let earlier = starts[index + 1].filter {
        $0.key.contains(".lora.\(index).") || $0.key.contains("heads.\(index).")
      }
      #expect(earlier.count == 10)
      #expect(areSame(earlier, final.filter { earlier.keys.contains($0.key) }))
      #expect(!areSame(starts[index].filter { earlier.keys.contains($0.key) }, earlier))
    }
    #expect(areSame(backbone, toy.parameters.snapshot { $0.role == .backbone }))
  }

  @Test func toldTheTaskAHeadOfSharedClassesIsThatOfTheTask() throws {
    let (toy, method) = try toy(knowsTask: true, sharesLabels: true)
    let batch = { toy.learner.deviceBatch(Batch(ApartToy.examples(0, seed: 50, target: 0))) }
    var told: [[Float]] = [], newest: [[Float]] = []
    toy.recorder.onEnd = { _ in
      let scores = { inference { toy.learner.model(batch(), .evaluation) }.classes?.values.values() ?? [] }
      newest.append(scores())
      told.append(try method.predicting(0, learner: toy.learner, scores))
    }
    try toy.trainer.run()
    #expect(told.count == 3 && told[1] == told[0] && told[2] == told[0])
    #expect(newest[0] == told[0] && newest[1] != told[1])
    #expect(method.state["heads.0"].keys.sorted() == ["heads.0.bias", "heads.0.weight"])
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func languageModelsAnswerEachTextAsItsExperienceDoes(
    _ name: String
  ) throws {
    var method: EPI?
    let train = (0..<3).map { ApartToy.examples($0, seed: UInt64($0), target: $0 * 3, withAnswers: true) }
    let toy = try Toy(
      try PromptToy.model(name), train: train, knowsTask: false, settings: { $0.epochs = 1 }
    ) { learner in
      let made = EPI(configured { ($0.rank, $0.targets) = (4, ["all"]) }, learner: learner)
      method = made
      return [made]
    }
    try toy.trainer.run()
    let epi = try #require(method), model = try #require(toy.learner.model as? any Generates)
    let texts = Array(train.map { $0.prefix(3) }.joined()).shuffled(seed: 2)
    func answers(_ experience: Int?) throws -> (scores: Tensor, greedy: [[Int32]], beams: [[Int32]]) {
      try epi.predicting(experience, learner: toy.learner) {
        let batch = toy.learner.announced(Batch(texts), withAnswers: false, to: [epi])
        var beams = GenerationSettings(maxTokens: 4)
        beams.strategy = .beam(.init(width: 2))
        return inference {
          let scores = model.score(batch, answers: PromptToy.answers)
          return (scores, model.generate(batch, maxTokens: 4), model.generate(batch, beams).map(\.tokens))
        }
      }
    }
    let found = try answers(nil), told = try (0..<3).map { try answers($0) }
    for (row, text) in texts.enumerated() {
      let own = told[text.experience]
      #expect(difference(found.scores.at(0, row), own.scores.at(0, row), atol: 1e-5) == nil)
      #expect(found.greedy[row] == own.greedy[row] && found.beams[row] == own.beams[row])
    }
    #expect(difference(told[0].scores, told[2].scores, atol: 1e-3) != nil)
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingDifferences { [EPI(.init(), learner: $0), MIGU(.init(), learner: $0)] } == [])
  }
}

/// Texts of tokens that no other experience has; the first ones are their class's.
enum ApartToy {
  static func examples(
    _ experience: Int, seed: UInt64, target: Int, withAnswers: Bool = false
  ) -> [TokenizedExample] {
    var generator = Generator(seed: seed + 7)
    return (0..<36).map { index in
      let answer = Int(generator.next() % 3), length = 6 + Int(generator.next() % 3), first = 5 + experience * 9
      let tokens = (0..<length).map { Int32(first + ($0 < 4 ? answer : 3 + Int(generator.next() % 6))) }
      return TokenizedExample(
        id: "\(experience).\(index)", tokens: tokens, firstLength: length, target: target + answer,
        answer: withAnswers ? PromptToy.answers[answer] : [], experience: experience)
    }
  }
}

extension Array {
  /// The same elements in an order that `seed` draws.
  fileprivate func shuffled(seed: UInt64) -> [Element] {
    var generator = Torch.Generator(seed: seed)
    return map { ($0, generator.next()) }.sorted { $0.1 < $1.1 }.map(\.0)
  }
}
