import Adapters
import Continual
import Evaluation
import Foundation
import Streams
import Testing
import Torch

@testable import Recipes

/// Runs of a decoder that answers in text: small, but real training.
@Suite(.serialized) struct TextRunTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try Self.write(Self.decoder, to: scratch.url.appendingPathComponent("decoder"))
    try Self.write(Self.encoderDecoder, to: scratch.url.appendingPathComponent("encoder-decoder"))
    for name in ["one", "two"] {
      let labels = name == "one" ? ["cat", "dog"] : ["film", "book"]
      try scratch.examples(labels, 24, salt: "ran on", to: "stream/\(name)-train.jsonl")
      try scratch.examples(labels, 8, salt: "sat in", to: "stream/\(name)-test.jsonl")
    }
  }

  /// Model directories with no weights, which are drawn, and the tokenizer of `bert-tiny`.
  private static func write(_ configuration: String, to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let golden = try Scratch().places.models.appendingPathComponent("bert-tiny")
    for name in ["tokenizer.json", "tokenizer_config.json", "vocab.txt"] {
      try FileManager.default.copyItem(
        at: golden.appendingPathComponent(name), to: folder.appendingPathComponent(name))
    }
    try Data(configuration.utf8).write(to: folder.appendingPathComponent("config.json"))
  }

  private static let decoder = """
    {"model_type": "llama", "vocab_size": 100, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
     "num_attention_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
     "eos_token_id": 3, "initializer_range": 0.2}
    """
  private static let encoderDecoder = """
    {"model_type": "t5", "vocab_size": 100, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2,
     "dropout_rate": 0.0, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3,
     "tie_word_embeddings": true}
    """

  private func writeStream(_ key: String, tellsTask: Bool = true) throws {
    try scratch.write(
      """
      {"name": "tiny", "taskLabelAtTest": \(tellsTask), "experiences": [
        {"name": "one", "train": "one-train.jsonl", "test": "one-test.jsonl", "\(key)": "label"},
        {"name": "two", "train": "two-train.jsonl", "test": "two-test.jsonl", "\(key)": "label"}]}
      """, to: "stream/stream.json")
  }

  private func run(
    _ name: String, _ methods: String, _ answers: String, model: String = "decoder", decoding: String = "beams: 1",
    optimizer: String = "adamw"
  ) throws -> AccuracyMatrix {
    let recipe = try Recipe(
      yaml: """
        model: {name: "\(scratch.url.path)/\(model)", startsFresh: true}
        stream: {name: folder, folder: "\(scratch.url.path)/stream"}
        methods: [\(methods)]
        training: {epochs: 12, batchSize: 4, maxTokens: 40, learningRate: 1e-2, precision: fp32,
          optimizer: \(optimizer)}
        evaluation: {answers: \(answers), maxAnswerTokens: 4, \(decoding)}
        """, name: name)
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    let folder = scratch.url.appendingPathComponent(name)
    try runner.run(recipe, in: folder, start: .new)
    return try RunDirectory(folder).record().matrix
  }

  @Test(arguments: ["finetune", "migu", "er", "lora, migu"])
  func classesAreLearnedAsAnswers(_ methods: String) throws {
    try writeStream("label")
    let scored = try run("scored", methods, "scored")
    #expect(scored[after: 0, on: 0] ?? 0 >= 75, "\(scored.rows)")
    // Of the small adapter two thirds of the rows rest in the second task: too few for it.
    if !methods.contains("lora") { #expect(scored[after: 1, on: 1] ?? 0 >= 75, "\(scored.rows)") }
    guard methods == "finetune" else { return }
    // Training is the same, and what is learned is also what is written.
    let written = try run("written", methods, "exactMatch")
    #expect(written[after: 0, on: 0] == scored[after: 0, on: 0])
  }

  /// Two tasks whose labels have the same names: their classes are different ones, the answers are not.
  @Test func aNameThatComesAgainIsTheSameAnswer() throws {
    for split in ["train", "test"] {
      try scratch.examples(["cat", "dog"], split == "train" ? 24 : 8, salt: "lay by", to: "stream/two-\(split).jsonl")
    }
    try writeStream("label")
    let told = try run("told", "finetune", "scored")
    try writeStream("label", tellsTask: false)
    let untold = try run("untold", "finetune", "scored")
    #expect(untold.rows[1] == told.rows[1] && told[after: 1, on: 1] ?? 0 >= 75, "\(told.rows) \(untold.rows)")
    let scores = try Scores(scratch.url.appendingPathComponent("untold"), places: scratch.places)
    #expect(scores.rows.map(\.accuracy) == untold.rows[1])
  }

  /// λ is chosen by what the recipe measures.
  @Test func picChoosesItsStrengthOnFreeAnswersToo() throws {
    try writeStream("answer")
    let matrix = try run("pic", "pic", "rougeL")
    #expect(matrix.isComplete)
  }

  @Test(arguments: ["finetune", "migu", "replay", "lora"])
  func anEncoderDecoderLearnsThemToo(_ methods: String) throws {
    try writeStream("label")
    let scored = try run("scored", methods, "scored", model: "encoder-decoder")
    // A small adapter on weights that were never trained can do little.
    if methods != "lora" { #expect(scored[after: 0, on: 0] ?? 0 >= 75, "\(scored.rows)") }
    guard methods == "finetune" else { return }
    let written = try run("written", methods, "exactMatch", model: "encoder-decoder", decoding: "beams: 2")
    #expect(written[after: 0, on: 0] == scored[after: 0, on: 0])
  }

  @Test func aTextModelAnswersGoesOnAndGoesOut() throws {
    try writeStream("answer")
    _ = try run("base", "finetune", "exactMatch")
    let folder = scratch.url.appendingPathComponent("base")
    let answers = try Predictor(folder, task: "two", places: scratch.places).predict([.init(text: "the film sat in 3")])
    #expect(answers.map(\.answer) == ["film"] && answers[0].label == nil)
    let lines = (0..<12).map { index -> String in
      let word = index % 2 == 0 ? "sun" : "sea"
      return #"{"text": "the \#(word) ran \#(index)", "answer": "\#(word)"}"#
    }
    try scratch.write(lines.joined(separator: "\n"), to: "three.jsonl")
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    try runner.extend(folder, with: Addition(data: scratch.url.appendingPathComponent("three.jsonl")))
    let matrix = try RunDirectory(folder).record().matrix
    #expect(matrix.experiences == ["one", "two", "three"] && matrix.isComplete)
    #expect(try Scores(folder, places: scratch.places).rows.map(\.accuracy) == matrix.rows[2])
    try Export.run(folder, to: scratch.url.appendingPathComponent("out"), task: nil, places: scratch.places)
    #expect(!FileManager.default.fileExists(atPath: scratch.url.appendingPathComponent("out/jay.json").path))
  }

  @Test func aPromptBehindTheTextIsTrainedAndKept() throws {
    try writeStream("label")
    let method = "lfpt5: {length: 4, attempts: 40, sampleTokens: 8}"
    let matrix = try run(
      "lfpt5", method, "exactMatch", model: "encoder-decoder", decoding: "beams: 2, repetitionPenalty: 2.5")
    let folder = scratch.url.appendingPathComponent("lfpt5")
    #expect(matrix.isComplete)
    #expect(try Scores(folder, places: scratch.places).rows.map(\.accuracy) == matrix.rows[1])
    let refused = scratch.sentence { _ = try run("refused", method, "exactMatch") }
    #expect(refused.hasPrefix("'lfpt5' learns tasks with an encoder that reads"), "\(refused)")
  }

  @Test func earlierInputsAreWrittenByAnAdapter() throws {
    try writeStream("label")
    let method = "sapt-lora: {targets: [q, v], pseudo: written, pseudoRatio: 0.5, writer: {updates: 3, maxTokens: 6}}"
    let matrix = try run("sapt", method, "scored", model: "encoder-decoder")
    let folder = scratch.url.appendingPathComponent("sapt")
    #expect(matrix.isComplete)
    #expect(try Scores(folder, places: scratch.places).rows.map(\.accuracy) == matrix.rows[1])
    let trained = try #require(try Session.restored(folder, places: scratch.places).trainer.methods.first)
    #expect(trained.state.exemplars["pseudo.0"]?.isEmpty == false)
  }

  @Test(arguments: [
    "lfpt5: {length: 4, attempts: 200, sampleTokens: 8, topK: 0, repetitionPenalty: 1}",
    "sapt-lora: {targets: [q, v], pseudo: written, pseudoRatio: 0.5, writer: {updates: 3, maxTokens: 6}}",
  ])
  func methodsThatWriteContinueTheSameWhenTheyAreInterrupted(_ method: String) throws {
    try writeStream("answer")
    _ = try run("whole", method, "exactMatch", model: "encoder-decoder", optimizer: "adafactor")
    let folders = ["whole", "stopped"].map { scratch.url.appendingPathComponent($0) }
    try FileManager.default.copyItem(at: folders[0], to: folders[1])
    let lines = (0..<12).map { #"{"text": "the sun ran \#($0)", "answer": "\#($0 % 2 == 0 ? "sun" : "sea")"}"# }
    try scratch.write(lines.joined(separator: "\n"), to: "new.jsonl")
    let addition = Addition(data: scratch.url.appendingPathComponent("new.jsonl"))
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    try runner.extend(folders[0], with: addition)
    var updates = 0
    runner.isInterrupted = {
      updates += 1
      return updates == 2
    }
    #expect(throws: TrainingError.self) { try runner.extend(folders[1], with: addition) }
    runner.isInterrupted = { false }
    try runner.run(try Recipe(file: RunDirectory(folders[1]).recipe), in: folders[1], start: .resume)
    let ends = try folders.map { try #require(Checkpoint.newest(in: RunDirectory($0).checkpoints).checkpoint) }
    #expect(ends.allSatisfy { $0.url.lastPathComponent == "0003-00000000" })
    for name in ["weights.safetensors", "method-0.safetensors"] {
      let bytes = try ends.map { try Data(contentsOf: $0.url.appendingPathComponent(name)) }
      #expect(bytes[0] == bytes[1], "\(name)")
    }
    let written = ends.map { $0.record.methods[0].exemplars }
    #expect(written[0] == written[1] && written[0].count == 3)
    if method.hasPrefix("sapt") { #expect(written[0].values.allSatisfy { !$0.isEmpty }) }
  }

  @Test func drawnAnswersDependOnTheSeedAndTheExampleAlone() throws {
    try writeStream("answer")
    let matrix = try run("drawn", "finetune", "exactMatch", decoding: "temperature: 3, topK: 40, topP: 0.99")
    let folder = scratch.url.appendingPathComponent("drawn")
    #expect(try Scores(folder, places: scratch.places).rows.map(\.accuracy) == matrix.rows[1])
    let session = try Session.restored(folder, places: scratch.places), learner = session.trainer.learner
    let texts = learner.data(of: session.stream.experiences[1]).test
    func write(
      _ texts: [TokenizedExample], _ change: (inout EvaluationSettings) -> Void = { _ in }
    ) throws -> [String] {
      var settings = session.recipe.evaluation
      change(&settings)
      return try learner.write(texts, methods: session.trainer.methods, settings: settings)
    }
    let drawn = try write(texts)
    #expect(try write(texts.reversed()) { $0.batchTokens = 1 } == drawn.reversed())
    let greedy = try write(texts) { ($0.temperature, $0.topK, $0.topP) = (0, 0, 1) }
    #expect(greedy != drawn)
    #expect(try write(texts) { ($0.topK, $0.topP) = (1, 1) } == greedy)
    let cut = try write(texts) { ($0.temperature, $0.topK, $0.topP, $0.stopStrings) = (0, 0, 1, ["l"]) }
    #expect(cut == greedy.map { String($0.prefix(while: { $0 != "l" })) } && cut != greedy)
  }

  @Test func freeAnswersAreWritten() throws {
    try writeStream("answer")
    let refused = scratch.sentence { _ = try run("refused", "finetune", "scored") }
    #expect(refused.contains("Set evaluation.answers: rougeL"), "\(refused)")
    let matrix = try run("free", "finetune", "rougeL")
    #expect(matrix[after: 0, on: 0] ?? 0 >= 75, "\(matrix.rows)")
    let record = try RunDirectory(scratch.url.appendingPathComponent("free")).record()
    #expect(record.macroF1?.rows.allSatisfy { $0.allSatisfy { $0 == nil } } == true)
  }

  @Test func aPlanCountsTheAdapters() throws {
    try writeStream("label")
    let recipe = try Recipe(
      yaml: """
        model: {name: "\(scratch.url.path)/decoder", startsFresh: true}
        stream: {name: folder, folder: "\(scratch.url.path)/stream"}
        methods: [{inc-lora: {rank: 2}}]
        """, name: "plan")
    // Two experiences, two layers of 16 × 16, two factors of rank 2.
    let plan = try Plan(try Session(recipe, places: scratch.places), prepares: true)
    #expect(plan.trainableParameters == 2 * 2 * 2 * (16 * 2))
    let wrong = try Recipe(
      yaml: recipe.yaml().replacingOccurrences(of: "targets: []", with: "targets: [nowhere]"), name: "wrong")
    #expect(throws: AdapterError.self) { try Plan(try Session(wrong, places: scratch.places), prepares: true) }
  }

  @Test func methodsOnHeadsAreRefused() throws {
    try writeStream("label")
    #expect(
      scratch.sentence { _ = try run("probe", "probe", "scored") }
        .hasPrefix("'probe' works on classification heads, and there are none: a model of type llama answers in text"))
    #expect(
      scratch.sentence { _ = try run("ewc", "{ewc: {fisher: sampled}}", "scored") }
        .hasPrefix("'fisher: sampled' needs a model that answers with a class"))
  }
}
