import Adapters
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct LFPT5Tests {
  @Test func followsTheReference() throws {
    let golden = try Golden.load("methods/lfpt5.safetensors")
    let data = try (0..<2).map { try LFPT5Toy.examples(golden, "experience.\($0)", experience: $0) }
    let written = try LFPT5Toy.examples(golden, "written.0", experience: 0)
    let toy = try LFPT5Toy(data, settings: { $0.weightDecay = 1e-2 }) {
      ($0.length, $0.language, $0.distillation, $0.attempts) = (4, 0.5, 0.3, 0)
    }
    let start = try #require(golden["start"])
    toy.recorder.onBegin = { if $0 == 0 { try? toy.prompt.assign(start) } }
    var divergences: [Float] = []
    // The second and the fourth batch of the second experience hold the written texts.
    toy.recorder.onUpdate = { trainer, _ in
      guard trainer.progress.experience == 1, trainer.progress.step % 2 == 1 else { return }
      divergences += withoutGradient { toy.method.divergence(written, toy.learner) }.values()
    }
    toy.recorder.onEnd = { trainer in
      if trainer.progress.experience == 1 { toy.method.state.exemplars["samples.0"] = written }
    }
    try toy.trainer.run()
    #expect(difference(Tensor(toy.recorder.losses), try #require(golden["losses"]), atol: 1e-5) == nil)
    #expect(difference(try toy.prompt.master, try #require(golden["final"]), atol: 5e-5) == nil)
    #expect(difference(Tensor(divergences), try #require(golden["divergences"]), atol: 1e-5) == nil)
  }

  @Test func thePreviousAnswersBindOnlyWhatMoved() throws {
    let golden = try Golden.load("methods/lfpt5.safetensors")
    let data = try (0..<2).map { try LFPT5Toy.examples(golden, "experience.\($0)", experience: $0) }
    let toy = try LFPT5Toy(data) { ($0.length, $0.attempts) = (4, 0) }
    let before = toy.learner.parameters.snapshot()
    var divergences: [Double] = []
    toy.recorder.onBegin = { experience in
      guard experience == 1 else { return }
      divergences.append(toy.method.divergence(data[0], toy.learner).item())
    }
    toy.recorder.onUpdate = { trainer, _ in
      guard trainer.progress.experience == 1 else { return }
      divergences.append(toy.method.divergence(data[0], toy.learner).item())
    }
    try toy.trainer.run()
    // Without a graph other kernels run.
    #expect(divergences.count == 5 && abs(divergences[0]) < 1e-5, "\(divergences)")
    #expect(divergences.dropFirst().allSatisfy { $0 > 1e-3 }, "\(divergences)")
    let after = toy.learner.parameters.snapshot()
    #expect(after.keys.filter { before[$0] == nil } == ["prompt.0.vectors"])
    for (name, value) in before { #expect(value.values() == after[name]?.values(), "\(name)") }
  }

  @Test func goesOnFromACheckpointWithTheSameBits() throws {
    func toy() throws -> LFPT5Toy {
      try LFPT5Toy((0..<3).map(LFPT5Toy.free), options: [], settings: { $0.shuffle = true }) {
        ($0.length, $0.samples, $0.attempts, $0.sampleTokens, $0.topK) = (3, 2, 400, 12, 0)
      }
    }
    let whole = try toy(), resumed = try toy()
    whole.recorder.onUpdate = { trainer, optimizer in
      guard trainer.progress.experience == 2, trainer.progress.step == 2 else { return }
      for experience in resumed.learner.stream.experiences {
        resumed.learner.begin(experience)
        try resumed.method.prepare(experience, learner: resumed.learner)
      }
      resumed.learner.parameters.restore(trainer.learner.parameters.snapshot())
      resumed.learner.touch(trainer.learner.touched)
      var state = whole.method.state
      state.tensors = state.tensors.mapValues { $0.mapValues { $0.clone() } }
      resumed.method.state = state
      resumed.trainer.progress = trainer.progress
      resumed.trainer.progress.optimizerState = optimizer.state.mapValues { $0.clone() }
    }
    try whole.trainer.run()
    try resumed.trainer.run()
    #expect(unequal(whole.learner.parameters.snapshot(), resumed.learner.parameters.snapshot()) == [])
    #expect(unequal(whole.method.state["previous"], resumed.method.state["previous"]) == [])
    #expect(whole.method.state.exemplars == resumed.method.state.exemplars)
    #expect(whole.method.state.numbers == resumed.method.state.numbers)
    // Two texts of each task, as tokens that end, and answers that do.
    for index in 0..<3 {
      let texts = whole.method.state.exemplars["samples.\(index)"] ?? []
      #expect(texts.count == 2 && texts.allSatisfy { $0.experience == index && $0.target == -1 })
      #expect(texts.allSatisfy { $0.tokens.last == 1 && $0.answer.last == 1 && !$0.tokens.contains(95) })
    }
  }

  @Test func marksAreTheLastTokensThatNoTextHas() throws {
    var data = (0..<2).map(LFPT5Toy.free)
    data[1][0].tokens[0] = 94
    let toy = try LFPT5Toy(data, options: []) { ($0.length, $0.attempts) = (3, 0) }
    try toy.trainer.run()
    let marks = TextMarks(toy.method.state, toy.learner)
    #expect(marks.separator == 95 && marks.tasks == [93, 92] && marks.end == 1)
    let example = TokenizedExample(
      id: "a", tokens: [20, 21, 1], firstLength: 3, target: -1, answer: [7, 1], experience: 1)
    let writing = marks.writing(example)
    #expect(writing.tokens == [92, 1] && writing.answer == [20, 21, 95, 7, 1])
    let read = try #require(marks.read([20, 21, 95, 7]))
    #expect(read.text == [20, 21] && read.answer == [7])
    for broken in [[20, 21], [20, 95, 7, 95], [95, 7], [20, 95]] as [[Int32]] { #expect(marks.read(broken) == nil) }
  }

  @Test func aFewWrittenTextsOfEachClassAreKept() throws {
    let golden = try Golden.load("methods/lfpt5.safetensors")
    let data = try (0..<2).map { try LFPT5Toy.examples(golden, "experience.\($0)", experience: $0) }
    let toy = try LFPT5Toy(data) { ($0.length, $0.attempts) = (3, 0) }
    try toy.trainer.run()
    var texts = WrittenTexts(
      of: toy.learner.stream.experiences[1], classes: [[7], [9, 11]], atMost: 2,
      marks: TextMarks(toy.method.state, toy.learner))
    for answer in [[7], [9], [9, 11], [7], [8], [7]] as [[Int32]] { texts.add([20, 21, 95] + answer) }
    #expect(!texts.isFull)
    texts.add([30, 95, 9, 11])
    #expect(texts.isFull)
    #expect(texts.examples.map(\.target) == [2, 2, 3, 3])
    #expect(texts.examples.map(\.tokens) == [[20, 21, 1], [20, 21, 1], [20, 21, 1], [30, 1]])
    #expect(texts.examples.map(\.answer) == [[7, 1], [7, 1], [9, 11, 1], [9, 11, 1]])
  }

  /// The base learned to write, as a large one has, and the prompt leaves it that.
  @Test func aModelThatCanWriteGivesTextsOfEveryClass() throws {
    let golden = try Golden.load("methods/lfpt5.safetensors")
    let data = try LFPT5Toy.examples(golden, "experience.0", experience: 0)
    let toy = try LFPT5Toy([data], model: "t5-gated", settings: { $0.learningRate = 1e-3 }) {
      ($0.length, $0.attempts, $0.sampleTokens, $0.topK, $0.repetitionPenalty) = (3, 64, 16, 3, 1)
    }
    toy.recorder.onBegin = { _ in
      let learner = toy.learner, base = learner.parameters.all.filter { $0.role == .backbone }
      let jobs = learner.deviceBatch(Batch(data.map(TextMarks(toy.method.state, learner).writing)))
      let optimizer = AdamW(AdamW.Configuration())
      for parameter in base { parameter.isTrainable = true }
      for _ in 0..<200 {
        learner.model(jobs, .evaluation).loss.backward()
        optimizer.update(base, rate: 1e-2, gradientScale: 1)
        for parameter in learner.parameters.all { parameter.gradient = nil }
      }
      for parameter in base { parameter.isTrainable = false }
    }
    try toy.trainer.run()
    let written = toy.method.state.exemplars["samples.0"] ?? []
    #expect(written.map(\.target) == [0, 0, 1, 1])
    let known = Dictionary(uniqueKeysWithValues: data.map { ($0.tokens, $0.target) })
    #expect(written.count { known[$0.tokens] == $0.target } >= 3, "\(written)")
  }

  @Test func saysThatNoTokenIsLeft() throws {
    var data = (0..<2).map(LFPT5Toy.free)
    data[1][0].tokens = Array(2..<96)
    let toy = try LFPT5Toy(data, options: []) { $0.length = 3 }
    let error = #expect(throws: FreeTokenError.self) { try toy.trainer.run() }
    #expect(
      error?.errorDescription
        == "texts that a model is to write are marked by tokens that occur in no text, and of its 96 tokens too few are "
        + "left. Use a model with more of them, or a stream of fewer experiences.")
  }

  @Test func thePromptBeginsWithTheTasksWords() throws {
    let data = (0..<1).map { _ in
      (0..<2).map {
        TokenizedExample(
          id: "\($0)", tokens: [50, 51, 50, 1], firstLength: 4, target: $0, answer: [7, 1], experience: 0)
      }
    }
    let toy = try LFPT5Toy(data) { ($0.length, $0.attempts) = (7, 0) }
    toy.learner.begin(toy.learner.stream.experiences[0])
    let slot = try #require(toy.learner.parameters.promptSlot), table = slot.words.weight.master
    let vectors = toy.learner.promptVectors(7, about: toy.learner.stream.experiences[0])
    let width = table.size(1), rows = vectors.values()
    func row(_ index: Int) -> [Float] { Array(rows[index * width..<(index + 1) * width]) }
    func mean(_ ids: [Int64]) -> Tensor { table.gathered(0, Tensor(ids)).mean(0) }
    // "sentence classification", "t0", "xy", "z".
    #expect(difference(vectors.at(0, 1), mean("t0".utf8.map { Int64($0 % 40) + 12 }), atol: 1e-6) == nil)
    #expect(difference(vectors.at(0, 3), mean("z".utf8.map { Int64($0 % 40) + 12 }), atol: 1e-6) == nil)
    // Two frequent words for three vectors.
    let words = [50, 51].map { table.at(0, $0).values() }
    #expect(Set(words) == Set([row(4), row(5)]) && row(6) == row(4))
  }

  @Test func modelsThatReadNoPromptBehindAreRefused() throws {
    let toy = try Toy(try PromptToy.model("llama-tied"), train: [PromptToy.examples(0)]) {
      [LFPT5(configured { $0.length = 3 }, learner: $0)]
    }
    let error = #expect(throws: AdapterError.onlyInFront) { try toy.trainer.run() }
    #expect(
      error?.errorDescription
        == "this model reads prompts in front of its texts only; behind them, an encoder-decoder (T5) does. Choose such a "
        + "model, or another method.")
  }
}
