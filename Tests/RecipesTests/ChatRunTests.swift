import Continual
import Evaluation
import Foundation
import Testing
import Tokenizers
import Torch

@testable import Recipes

/// Runs of a small decoder on conversations, with abilities measured before and after: small, but real training.
@Suite(.serialized) struct ChatRunTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try writeModel()
    try writeStream("talks", key: #""conversations": true, "measure": "exactMatch""#)
    for (split, count) in [("train", 20), ("test", 6)] {
      try write(split, count, to: "talks") { word, other, index in
        let first = [("user", "the \(word)"), ("assistant", "\(word) ran")]
        let second = index % 3 == 0 ? [("user", "the \(other)"), ("assistant", "\(other) ran")] : []
        return (index % 4 == 0 ? [("system", "old")] : []) + first + second
      }
    }
    try scratch.examples(["cat", "dog"], 8, salt: "sat in", to: "choice/train.jsonl")
    try scratch.examples(["cat", "dog"], 8, salt: "sat in", to: "choice/test.jsonl")
    try writeStream("choice", key: #""label": "label""#)
    try write("train", 4, to: "asked") { word, _, _ in [("user", "the \(word)"), ("assistant", word)] }
    try write("test", 4, to: "asked") { word, _, _ in [("user", "the \(word)"), ("assistant", word)] }
    try writeStream("asked", key: #""conversations": true"#)
  }

  /// A decoder without weights, which are drawn, with the tokenizer of `bert-tiny` and the tokens of ChatML.
  private func writeModel() throws {
    let golden = scratch.places.models.appendingPathComponent("bert-tiny")
    let data = try Data(contentsOf: golden.appendingPathComponent("tokenizer.json"))
    var json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let added = try #require(json["added_tokens"] as? [[String: Any]])
    json["added_tokens"] =
      added
      + ["<|im_start|>", "<|im_end|>"].enumerated().map { index, content in
        [
          "id": 100 + index, "content": content, "special": true, "normalized": false, "lstrip": false,
          "rstrip": false, "single_word": false,
        ] as [String: Any]
      }
    try scratch.write(
      String(decoding: try JSONSerialization.data(withJSONObject: json), as: UTF8.self), to: "decoder/tokenizer.json")
    try scratch.write("{}", to: "decoder/tokenizer_config.json")
    try scratch.write(
      """
      {"model_type": "llama", "vocab_size": 102, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
       "num_attention_heads": 2, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
       "eos_token_id": 3, "initializer_range": 0.2}
      """, to: "decoder/config.json")
  }

  private func write(
    _ split: String, _ count: Int, to stream: String, _ turns: (String, String, Int) -> [(String, String)]
  ) throws {
    let words = ["cat", "dog", "film", "book"]
    let lines = (0..<count).map { index in
      let list = turns(words[index % 4], words[(index + 1) % 4], index).map {
        #"{"role": "\#($0)", "content": "\#($1)"}"#
      }
      return #"{"messages": [\#(list.joined(separator: ", "))]}"#
    }
    try scratch.write(lines.joined(separator: "\n"), to: "\(stream)/\(split).jsonl")
  }

  private func writeStream(_ name: String, key: String, tellsTask: Bool = false) throws {
    try scratch.write(
      """
      {"name": "\(name)", "taskLabelAtTest": \(tellsTask), "experiences": [
        {"name": "\(name)", "train": "train.jsonl", "test": "test.jsonl", \(key)}]}
      """, to: "\(name)/stream.json")
  }

  private func recipe(
    template: String = "chatml", stream: String = "talks", methods: String = "finetune", evaluation: String = "",
    training: String = ""
  ) throws -> Recipe {
    try Recipe(
      yaml: """
        model: {name: "\(scratch.url.path)/decoder", startsFresh: true, chatTemplate: "\(template)"}
        stream: {name: folder, folder: "\(scratch.url.path)/\(stream)", validationShare: 0}
        methods: [\(methods)]
        training: {epochs: 20, batchSize: 4, maxTokens: 64, learningRate: 1e-2, precision: fp32\(training)}
        evaluation: {maxAnswerTokens: 5\(evaluation)}
        """, name: "chat")
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

  private var abilities: String {
    ", abilities: [\"\(scratch.url.path)/choice\", \"\(scratch.url.path)/asked\"], abilityCap: 4"
  }

  @Test(arguments: ["finetune", "lora, migu"])
  func conversationsAreLearnedAndAbilitiesMeasured(_ methods: String) throws {
    let directory = try run(recipe(methods: methods, evaluation: abilities), "run")
    let record = try directory.record(), scores = try #require(record.abilities)
    // A small adapter on weights that were never trained can do little.
    if methods == "finetune" { #expect(record.matrix[after: 0, on: 0] == 100, "\(record.matrix.rows)") }
    #expect(scores.abilities.map(\.name) == ["choice", "asked"])
    #expect(scores.abilities.map(\.measure) == ["scored", "exactMatch"] && scores.abilities.map(\.examples) == [4, 4])
    #expect(scores.before.count == 2 && scores.rows.map(\.count) == [2])
    #expect((scores.before + scores.rows[0]).allSatisfy { (0...100).contains($0.percent ?? -1) })
    let summary = try JSON.decode(RunDirectory.Summary.self, from: directory.summary)
    #expect(summary.abilities?.mean == scores.finalMean && summary.abilities?.change == scores.change)
    let page = try String(contentsOf: directory.report, encoding: .utf8)
    #expect(page.contains("<h2>Abilities</h2>") && page.contains("before any"))
    #expect(try Outcome.text(directory.url).contains("abilities   choice  asked\nbefore any"))
    #expect(try Comparison([directory.url]).text.contains("abilities  Δ abilities"))
    #expect(try Verification(directory.url).isSound)
  }

  /// Also those that must be told the task, and those whose parts come only with the first experience.
  @Test(
    arguments: MethodIndex.all.map { $0.card }.filter { !$0.requires.contains(.heads) && $0.name != "das" }.map(\.name))
  func everyMethodMeasuresThem(_ method: String) throws {
    try writeStream("talks", key: #""conversations": true, "measure": "exactMatch""#, tellsTask: true)
    var recipe = try recipe(
      methods: method, evaluation: abilities + ", future: false", training: ", maxUpdates: 3, schedule: cosine")
    recipe.stream.validationShare = 0.2
    do { _ = try Session(recipe, places: scratch.places) } catch is CompatibilityError { return }
    let scores = try #require(try run(recipe, "run").record().abilities)
    #expect(scores.before.count == 2 && scores.rows.map(\.count) == [2])
  }

  @Test func pretrainingMeasuresThemToo() throws {
    try scratch.write(
      (0..<30).map { "the old cat ran on the big bed \($0 % 7)" }.joined(separator: "\n"), to: "docs/d.txt")
    try scratch.write(
      """
      {"name": "docs", "experiences": [
        {"name": "docs", "train": "d.txt", "test": "d.txt", "documents": true}]}
      """, to: "docs/stream.json")
    try writeStream("asked", key: #""conversations": true, "measure": "loss""#)
    let recipe = try recipe(stream: "docs", evaluation: abilities, training: ", objective: causal, maxUpdates: 20")
    let scores = try #require(try run(recipe, "pretrained").record().abilities)
    #expect(scores.abilities.map(\.measure) == ["scored", "loss"])
    #expect(try #require(scores.before[1].loss) > 3 && scores.finalLoss != nil)
  }

  @Test func aResumedRunEndsWithTheSameBits() throws {
    let recipe = try recipe(evaluation: abilities + ", answers: loss")
    let whole = try run(recipe, "whole")
    _ = try run(recipe, "parts", stopAfter: 37)
    // The abilities' data are part of what a run is.
    let file = scratch.url.appendingPathComponent("choice/test.jsonl"), data = try Data(contentsOf: file)
    try scratch.examples(["cat", "dog"], 6, salt: "ran on", to: "choice/test.jsonl")
    let changed = scratch.sentence { _ = try run(recipe, "parts") }
    #expect(changed.hasPrefix("the abilities changed since parts/checkpoints/"), "\(changed)")
    try data.write(to: file)
    let parts = try run(recipe, "parts")
    for file in [\RunDirectory.matrix, \.abilities] {
      #expect(try Data(contentsOf: whole[keyPath: file]) == Data(contentsOf: parts[keyPath: file]))
    }
  }

  @Test func aLossIsMeasuredWhereNothingElseIsSaid() throws {
    let record = try run(recipe(stream: "asked"), "loss").record()
    let loss = try #require(record.loss)
    #expect(record.matrix.quantity == "token accuracy")
    #expect(try #require(loss[after: 0, on: 0]) < 0.5 * (try #require(loss.before?[0])))
    let last = try run(recipe(stream: "talks", evaluation: ", answers: loss", training: ", turns: last"), "last")
    #expect(try last.record().matrix[after: 0, on: 0] == 100)
  }

  @Test func aConversationIsAnswered() throws {
    let folder = try run(recipe(), "asked-run").url
    let lines = """
      {"id": 1, "messages": [{"role": "user", "content": "the dog"}]}
      {"text": "the film"}
      {"messages": [{"role": "user", "content": "the dog"}, {"role": "assistant", "content": "dog ran"},
       {"role": "user", "content": "the book"}]}
      """.replacingOccurrences(of: ",\n", with: ",")
    let inputs = try Predictor.Input.read(Data(lines.utf8), name: "in")
    let answers = try Predictor(folder, task: nil, places: scratch.places).predict(inputs)
    #expect(answers.map(\.answer) == ["dog ran", "film ran", "book ran"] && answers[0].id == "1")
    #expect(answers.map(\.label) == [nil, nil, nil])
    let answered = #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#
    #expect(
      scratch.sentence { _ = try Predictor.Input.read(Data(answered.utf8), name: "in") }
        == "in:1: the conversation does not end with the user's message; remove the assistant's last answer.")
  }

  /// The model, with a template that writes every message alike.
  private func folderWithTemplate() throws -> URL {
    let folder = scratch.url.appendingPathComponent("decoder")
    let template =
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
      + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    try scratch.write(template, to: "decoder/chat_template.jinja")
    return folder
  }

  @Test func aConversationIsShownAsTheModelReadsIt() throws {
    let folder = try folderWithTemplate()
    let desk = DataDesk(places: scratch.places)
    _ = try desk.add("asked-data", folder: scratch.url.appendingPathComponent("asked"))
    let sample = try #require(try desk.samples("asked-data", model: folder.path, maxTokens: 64, count: 1).first)
    #expect(sample.tokens.first == "<|im_start|>" && sample.tokens.contains("[cat]") && sample.cutTokens == 0)
    #expect(sample.tokens.count { $0 == "[<|im_end|>]" } == 1 && sample.text.contains("user: the cat"))
  }

  @Test func aLongConversationIsShownWithoutItsFirstTurns() throws {
    let folder = try folderWithTemplate()
    let line =
      #"{"messages": [{"role": "user", "content": "the bird"}, {"role": "assistant", "content": "bird"}, "#
      + #"{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "cat"}]}"# + "\n"
    for split in ["train", "test"] { try scratch.write(line, to: "long/\(split).jsonl") }
    try scratch.write(
      #"{"name": "long", "experiences": [{"name": "talks", "train": "train.jsonl", "test": "test.jsonl", "conversations": true}]}"#,
      to: "long/stream.json")
    let desk = DataDesk(places: scratch.places)
    _ = try desk.add("long", folder: scratch.url.appendingPathComponent("long"))
    let shown = { (maxTokens: Int) in
      try #require(try desk.samples("long", model: folder.path, maxTokens: maxTokens, count: 1).first)
    }
    let whole = try shown(64)
    #expect(whole.tokens.contains("[bird]") && whole.cutTokens == 0)
    let half = try shown(whole.ids.count / 2)
    #expect(half.ids == whole.ids.suffix(whole.ids.count / 2) && half.cutTokens == whole.ids.count / 2)
  }

  @Test func moreConversationsAreAdded() throws {
    let folder = try run(recipe(), "base").url
    var runner = Runner(places: scratch.places)
    runner.isQuiet = true
    let data = scratch.url.appendingPathComponent("asked/train.jsonl")
    try runner.extend(folder, with: Addition(data: data, test: data, name: "more"))
    let record = try RunDirectory(folder).record()
    #expect(record.matrix.isComplete && record.matrix.experiences == ["talks", "more"])
    // They are measured as the others are.
    #expect(record.loss == nil && record.matrix[after: 1, on: 1] != nil)
  }

  @Test func whatCannotBeIsSaid() throws {
    func sentence(_ recipe: Recipe) -> String {
      scratch.sentence { _ = try Session(recipe, places: scratch.places, measuresAbilities: true) }
    }
    #expect(
      sentence(try recipe(template: ""))
        == "'talks' holds conversations, but the model in decoder does not say how it writes them: it has no chat template. "
        + "Set model.chatTemplate to a family (llama2, llama3, mistral, chatml), or to the folder of a model that has one."
    )
    #expect(
      sentence(try recipe(template: "alpaca"))
        == "model.chatTemplate 'alpaca' is neither a family nor a folder. Write one of llama2, llama3, mistral, chatml, or the "
        + "folder of a model that has a chat template.")
    #expect(
      sentence(try recipe(template: "llama3"))
        == "the tokenizer in decoder has no token '<|eot_id|>', with which the chat template ends an answer. Set "
        + "model.chatTemplate to a family whose tokens it has (llama2, llama3, mistral, chatml), or choose the tokenizer of "
        + "a chat model.")
    var narrow = try recipe()
    narrow.training.maxTokens = 8
    #expect(
      sentence(narrow).hasPrefix("the chat template needs ")
        && sentence(narrow).hasSuffix("leaves 8. Raise training.maxTokens, or lower evaluation.maxAnswerTokens."))
    #expect(
      sentence(try recipe(evaluation: ", abilities: [nowhere]"))
        == "evaluation.abilities: 'nowhere' is neither a folder with a stream.json nor a stream. Write STREAM or STREAM/TASK, "
        + "the stream one of cl15, corpora, endtasks, instructions, meadow, superni15.")
    let choice = "\"\(scratch.url.path)/choice\""
    #expect(
      sentence(try recipe(evaluation: ", abilities: [\(choice), \(choice)]"))
        == "evaluation.abilities: 'choice' is named twice. Keep one, or rename the task in its stream.json.")
    var encoder = try recipe(evaluation: ", abilities: [\(choice)]")
    (encoder.model.name, encoder.model.startsFresh, encoder.stream) = ("bert-tiny", false, StreamSection())
    #expect(
      sentence(encoder)
        == "evaluation.abilities are asked and answered in text, and a model of type bert answers with a class. Choose a "
        + "language model, or remove them.")
  }

  @Test func sentencesOfRareErrors() {
    #expect(
      ChatError.systemMessage(example: "train:3", dataset: "t/train").description
        == "example 'train:3' of t/train begins with a system message, which the chat template does not take. Remove such "
        + "messages, or set model.chatTemplate to another family.")
    #expect(
      ChatError.needsDecoder(stream: "t").description
        == "'t' holds conversations, and only a decoder goes on with one. Choose a model of type llama, mistral, qwen2 or "
        + "qwen3.")
    #expect(
      AbilityError.nothingToTest("a").description == "evaluation.abilities: 'a' has no test examples. Name another.")
    #expect(
      AbilityError.documents("a").description
        == "evaluation.abilities: 'a' holds documents, in which nothing is asked. Name a stream with questions.")
    #expect(
      PredictionError.takesNoConversation(task: "t").description
        == "'t' asks for no conversation, so \"messages\" cannot be answered. Write lines such as {\"text\": \"…\"}.")
  }
}
