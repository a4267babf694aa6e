import Adapters
import Continual
import Evaluation
import Foundation
import Models
import NN
import Testing
import Torch

@testable import Recipes

/// Runs that pretrain on domains of text: small, but real training.
@Suite(.serialized) struct PretrainingRunTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    // Each domain has a sentence that it repeats; the second one in other words.
    for (name, words) in [("one", "the old cat ran on the big bed"), ("two", "a red dog had fun in my hut")] {
      for (split, count) in [("train", 40), ("test", 6)] {
        try scratch.write(
          (0..<count).map { "\(words) \($0 % 7)" }.joined(separator: "\n") + "\n", to: "stream/\(name)-\(split).txt")
      }
    }
    try scratch.write(
      """
      {"name": "domains", "taskLabelAtTest": false, "experiences": [
        {"name": "one", "train": "one-train.txt", "test": "one-test.txt", "documents": true},
        {"name": "two", "train": "two-train.txt", "test": "two-test.txt", "documents": true}]}
      """, to: "stream/stream.json")
  }

  /// A model directory with a configuration and the tokenizer of `bert-tiny`, and no weights.
  private func model(_ configuration: String, sentinels: Int = 0) throws -> String {
    let folder = scratch.url.appendingPathComponent("model")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(configuration.utf8).write(to: folder.appendingPathComponent("config.json"))
    let golden = scratch.places.models.appendingPathComponent("bert-tiny")
    let data = try Data(contentsOf: golden.appendingPathComponent("tokenizer.json"))
    var json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let added = try #require(json["added_tokens"] as? [[String: Any]])
    json["added_tokens"] =
      added
      + (0..<sentinels).map { index in
        [
          "id": 100 + index, "content": "<extra_id_\(index)>", "special": true, "normalized": false, "lstrip": false,
          "rstrip": false, "single_word": false,
        ] as [String: Any]
      }
    try JSONSerialization.data(withJSONObject: json).write(to: folder.appendingPathComponent("tokenizer.json"))
    var settings = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: golden.appendingPathComponent("tokenizer_config.json"))) as? [String: Any])
    settings["eos_token"] = "[SEP]"
    try JSONSerialization.data(withJSONObject: settings).write(
      to: folder.appendingPathComponent("tokenizer_config.json"))
    return folder.path
  }

  private static let encoder = """
    {"model_type": "bert", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
     "num_attention_heads": 2, "max_position_embeddings": 40, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
     "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.1,
     "pad_token_id": 0}
    """
  private static let decoder = """
    {"model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
     "num_attention_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
     "eos_token_id": 3, "initializer_range": 0.1}
    """
  private static let encoderDecoder = """
    {"model_type": "t5", "vocab_size": 120, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 2,
     "dropout_rate": 0.0, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3,
     "tie_word_embeddings": true}
    """

  private func recipe(_ model: String, _ training: String, methods: String = "finetune") throws -> Recipe {
    try Recipe(
      yaml: """
        model: {name: "\(model)", startsFresh: true}
        stream: {name: folder, folder: "\(scratch.url.path)/stream", validationShare: 0}
        methods: [\(methods)]
        training: {epochs: 20, batchSize: 4, maxTokens: 24, learningRate: 1e-2, precision: fp32, \(training)}
        """, name: "pretraining")
  }

  private func run(_ recipe: Recipe, _ name: String, stopAfter updates: Int? = nil) throws -> RunDirectory {
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    var left = updates ?? .max
    runner.isInterrupted = {
      left -= 1
      return left == 0
    }
    let directory = RunDirectory(scratch.url.appendingPathComponent(name))
    do {
      try runner.run(recipe, in: directory.url, start: directory.exists ? .resume : .new)
    } catch TrainingError.interrupted where updates != nil {}
    return directory
  }

  @Test(arguments: [
    ("masked", "stream", "finetune"), ("masked", "documents", "migu"), ("causal", "documents", "finetune"),
    ("causal", "none", "migu"), ("spans", "stream", "finetune"), ("spans", "none", "er"),
    ("prefix", "none", "migu"),
  ])
  func domainsAreLearned(_ objective: String, _ packing: String, _ methods: String) throws {
    let configuration =
      objective == "masked" ? Self.encoder : objective == "causal" ? Self.decoder : Self.encoderDecoder
    let model = try model(configuration, sentinels: objective == "spans" ? 20 : 0)
    let directory = try run(
      recipe(model, "objective: \(objective), packing: \(packing)", methods: methods), objective)
    let record = try directory.record(), loss = try #require(record.loss)
    #expect(record.matrix.quantity == "token accuracy" && loss.quantity == "loss")
    let before = try #require(loss.before?[0]), after = try #require(loss[after: 0, on: 0])
    #expect(after < 0.6 * before, "\(before) → \(after)")
    #expect(try #require(record.matrix[after: 0, on: 0]) > 40, "\(record.matrix.rows)")
    #expect(record.macroF1?.rows.allSatisfy { $0.allSatisfy { $0 == nil } } == true)
  }

  @Test func aResumedRunEndsWithTheSameBits() throws {
    let model = try model(Self.encoder)
    let recipe = try recipe(model, "objective: masked, packing: documents", methods: "migu, er")
    let whole = try run(recipe, "whole")
    _ = try run(recipe, "parts", stopAfter: 7)
    let parts = try run(recipe, "parts")
    #expect(try Data(contentsOf: whole.matrix) == Data(contentsOf: parts.matrix))
  }

  @Test func aPretrainedModelGoesOutWhole() throws {
    let folder = try model(Self.encoder)
    let directory = try run(recipe(folder, "objective: masked", methods: "finetune"), "run")
    let target = scratch.url.appendingPathComponent("out")
    try Export.run(directory.url, to: target, task: nil, places: scratch.places)
    let session = try Session.restored(directory.url, places: scratch.places)
    let again = try ModelIndex.loadMasked(target, dtype: .float32, device: .cpu, seed: 1)
    for parameter in session.trainer.learner.parameters.all {
      #expect(again.parameters[parameter.name]?.master.values() == parameter.master.values(), "\(parameter.name)")
    }
    // And trains on as an encoder with heads.
    #expect(throws: Never.self) {
      try ModelIndex.encoder(target, pooling: .mean, dropout: 0, dtype: .float32, device: .cpu, seed: 0)
    }
  }

  @Test func aDecoderSaysHowATextGoesOnAndReadsNewDomains() throws {
    let directory = try run(recipe(model(Self.decoder), "objective: causal, packing: documents"), "run")
    let predictor = try Predictor(directory.url, task: nil, places: scratch.places)
    let answer = try #require(predictor.predict([.init(text: "a red dog had")]).first?.answer)
    #expect(answer.hasPrefix("fun in"), "\(answer)")
    let news = try scratch.write((0..<20).map { "the sun is up \($0)" }.joined(separator: "\n"), to: "news.txt")
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    try runner.extend(directory.url, with: Addition(data: news))
    let record = try directory.record()
    #expect(record.loss?.experiences == ["one", "two", "news"])
    #expect(try #require(record.loss?[after: 2, on: 2]) < 2, "\(String(describing: record.loss?.rows))")
    let scores = try Scores(directory.url, places: scratch.places)
    #expect(scores.rows.map(\.loss) == record.loss?.rows[2] && scores.text.contains("loss"))
    #expect(try Outcome.text(directory.url).contains("loss, nats a token"))
    let page = try String(contentsOf: directory.report, encoding: .utf8)
    #expect(page.contains("Mean cross-entropy of the predicted tokens"))
  }

  @Test func keptModelsAreTriedOnOtherTasks() throws {
    let dropping = Self.encoder.replacingOccurrences(of: "dropout_prob\": 0.0", with: "dropout_prob\": 0.1")
    var recipe = try recipe(model(dropping), "objective: masked", methods: "{das: {examples: 8}}")
    let plain = try run(recipe, "plain")
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    let tasks = try endTasks()
    let folder = scratch.url.appendingPathComponent("transfer")
    #expect(
      scratch.sentence { _ = try Transfer.run(plain.url, recipe: tasks, in: folder, runner) }.hasSuffix(
        "plain has no model of after 'one'. Train it with training.keepModels: true."))
    recipe.training.keepModels = true
    let kept = try run(recipe, "kept")
    let last = try Transfer.run(kept.url, recipe: tasks, onlyLast: true, in: folder, runner)
    #expect(last.experiences == ["two"] && last.accuracy.count == 1 && last.forgetting(last.accuracy) == nil)
    #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("01-one").path))
    // The models are kept beside the run, not in place of anything in it.
    #expect(try Data(contentsOf: kept.matrix) == Data(contentsOf: plain.matrix))
    let transfer = try Transfer.run(kept.url, recipe: tasks, in: folder, runner)
    #expect(transfer.accuracy.last == last.accuracy[0])
    #expect(transfer.experiences == ["one", "two"] && transfer.tasks == ["animals", "places"])
    #expect(transfer.accuracy.allSatisfy { $0.count == 2 && $0.allSatisfy { ($0 ?? -1) >= 0 } })
    let forgetting = try #require(transfer.forgetting(transfer.accuracy))
    #expect(forgetting == (transfer.accuracy[0][0] ?? 0) - (transfer.accuracy[1][0] ?? 0))
    // What is finished is not done again.
    let stamp = try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent("01-one/log.jsonl").path)
    #expect(try Transfer.run(kept.url, recipe: tasks, in: folder, runner).text == transfer.text)
    let again = try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent("01-one/log.jsonl").path)
    #expect(stamp[.modificationDate] as? Date == again[.modificationDate] as? Date)
    // Nor shown as the result of another recipe.
    var other = tasks
    other.header.seed = 1
    #expect(
      scratch.sentence { _ = try Transfer.run(kept.url, recipe: other, in: folder, runner) }.hasSuffix(
        "transfer holds results of another recipe. Choose another place: --out DIR"))
  }

  /// Two tasks of two classes, four epochs each.
  private func endTasks() throws -> Recipe {
    for name in ["cat-dog", "sun-sea"] {
      let labels = name.split(separator: "-").map(String.init)
      try scratch.examples(labels, 16, salt: "ran", to: "tasks/\(name)-train.jsonl")
      try scratch.examples(labels, 8, salt: "sat", to: "tasks/\(name)-test.jsonl")
    }
    try scratch.write(
      """
      {"name": "tasks", "experiences": [
        {"name": "animals", "train": "cat-dog-train.jsonl", "test": "cat-dog-test.jsonl"},
        {"name": "places", "train": "sun-sea-train.jsonl", "test": "sun-sea-test.jsonl"}]}
      """, to: "tasks/stream.json")
    return try Recipe(
      yaml: """
        stream: {name: folder, folder: "\(scratch.url.path)/tasks", validationShare: 0}
        training: {epochs: 4, batchSize: 4, maxTokens: 24, learningRate: 1e-2, precision: fp32}
        """, name: "tasks")
  }

  /// Bottlenecks are kept beside the model, and the tasks go on from them.
  @Test(arguments: [("{adapter: {width: 4}}", 1), ("{hat: {width: 4}}", 2), ("{demix: {width: 4}}", 2)])
  func keptBottlenecksAreTriedOnOtherTasks(_ method: String, files: Int) throws {
    let isTold = files > 1
    if isTold {
      let stream = scratch.url.appendingPathComponent("stream/stream.json")
      let text = try String(contentsOf: stream, encoding: .utf8)
      try scratch.write(text.replacingOccurrences(of: "Test\": false", with: "Test\": true"), to: "stream/stream.json")
    }
    let kept = try run(
      recipe(model(Self.encoder), "objective: masked, keepModels: true", methods: method), "kept")
    let models = try RunDirectory(kept.url).keptModels().map(\.place)
    #expect(try models.map { try BottleneckFile.kept(in: $0).count } == [1, files])
    func bits(_ model: Int, _ place: Int) throws -> Data {
      try Data(contentsOf: BottleneckFile.url(place, in: models[model]))
    }
    if isTold {
      #expect(try bits(1, 0) != bits(1, 1))
      // Of the first domain nothing moves that its expert uses.
      if method.contains("demix") { #expect(try bits(0, 0) == bits(1, 0)) }
    } else {
      #expect(try bits(0, 0) != bits(1, 0))
    }
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    let folder = scratch.url.appendingPathComponent("transfer")
    if isTold {
      var one = try endTasks()
      one.stream.tasks = ["places"]
      #expect(
        scratch.sentence { _ = try Transfer.run(kept.url, recipe: one, in: folder, runner) }
          == "the run has bottlenecks for each of its 2 experiences (one, two), from which as many tasks would go on, in their "
          + "order; the recipe has 1 (places). Name in stream.tasks one for each experience.")
    }
    let transfer = try Transfer.run(kept.url, recipe: try endTasks(), in: folder, runner)
    #expect(
      transfer.experiences == ["one", "two"] && transfer.accuracy.allSatisfy { $0.allSatisfy { ($0 ?? -1) >= 50 } })
    // The tasks trained the bottlenecks and the heads, no weight of the model.
    let session = try Session.restored(folder.appendingPathComponent("02-two"), places: scratch.places)
    let learner = session.trainer.learner
    #expect(session.fingerprints["bottlenecks"] != nil)
    #expect(learner.touched.allSatisfy { $0.hasPrefix("heads.") || $0.contains(".adapter.0.") })
    // And began with what was kept.
    let again = try ModelIndex.encoder(models[1], pooling: .mean, dropout: 0, dtype: .float32, device: .cpu, seed: 0)
    let start = try BottleneckFile.kept(in: models[1])[0].attach(index: 0, seed: 0, in: again.parameters)
    for parameter in start.parameters where parameter.name.hasSuffix("up.weight") {
      let ended = try #require(learner.parameters[parameter.name]).master
      let moved = (ended - parameter.master).abs().sum().item(), size = parameter.master.abs().sum().item()
      #expect(size > 0 && moved < 5 * size)
    }
    #expect(try Transfer.run(kept.url, recipe: try endTasks(), in: folder, runner).text == transfer.text)
  }

  @Test func whatCannotBePretrainedIsRefused() throws {
    let model = try model(Self.encoder)
    #expect(
      scratch.sentence { _ = try run(recipe(model, "objective: causal"), "a") }
        == "a model of type bert cannot be pretrained with the objective 'causal'. Set training.objective: masked.")
    #expect(
      scratch.sentence { _ = try run(recipe(model, "objective: task"), "b") }
        .hasPrefix("experience 'one' holds documents, in which nothing is asked."))
    #expect(
      scratch.sentence { _ = try run(recipe(model, "objective: masked", methods: "probe"), "c") }
        .hasPrefix("'probe' works on classification heads, and there are none"))
  }
}
