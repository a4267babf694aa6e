import Foundation
import Testing

@testable import Recipes

/// A folder with small language models without weights, the tokenizer of `bert-tiny`, and a stream of one task.
struct TextScratch {
  let scratch: Scratch
  var places: Places { scratch.places }

  /// - Parameters:
  ///   - positions: of the decoder.
  ///   - isBare: whether the tokenizer puts nothing around a text.
  init(positions: Int = 64, isBare: Bool = false) throws {
    scratch = try Scratch()
    let decoder = """
      {"model_type": "llama", "vocab_size": 100, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
       "num_attention_heads": 2, "max_position_embeddings": \(positions), "rms_norm_eps": 1e-5,
       "tie_word_embeddings": false, "eos_token_id": 3, "initializer_range": 0.2}
      """
    let encoderDecoder = """
      {"model_type": "t5", "vocab_size": 100, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2,
       "n_positions": 32, "dropout_rate": 0.0, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3,
       "tie_word_embeddings": true}
      """
    let golden = scratch.places.models.appendingPathComponent("bert-tiny/tokenizer.json")
    var json = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: golden)) as? [String: Any])
    if isBare { json["post_processor"] = NSNull() }
    let tokenizer = String(decoding: try JSONSerialization.data(withJSONObject: json), as: UTF8.self)
    for (name, configuration) in [("decoder", decoder), ("encoder-decoder", encoderDecoder)] {
      try scratch.write(configuration, to: "\(name)/config.json")
      try scratch.write(tokenizer, to: "\(name)/tokenizer.json")
      try scratch.write(#"{"unk_token": "[UNK]"}"#, to: "\(name)/tokenizer_config.json")
    }
    try writeStream(#""label": "label""#)
    try writeTexts((0..<8).map { ("the \($0 % 2 == 0 ? "cat" : "dog") \($0)", $0 % 2 == 0 ? "cat" : "dog") })
  }

  /// The stream's task, with these keys.
  func writeStream(_ keys: String, tellsTask: Bool = false) throws {
    try scratch.write(
      """
      {"name": "tiny", "taskLabelAtTest": \(tellsTask), "experiences": [
        {"name": "one", "train": "train.jsonl", "test": "test.jsonl", \(keys)}]}
      """, to: "stream/stream.json")
  }

  /// Texts and their labels or answers, the same to learn and to test.
  func writeTexts(_ texts: [(String, String)]) throws {
    let lines = texts.map { #"{"text": "\#($0)", "label": "\#($1)"}"# }.joined(separator: "\n")
    for split in ["train", "test"] { try scratch.write(lines, to: "stream/\(split).jsonl") }
  }

  func recipe(
    _ model: String = "decoder", training: String = "maxTokens: 40", evaluation: String = "maxAnswerTokens: 4",
    chatTemplate: String = ""
  ) throws -> Recipe {
    let name = ["decoder", "encoder-decoder"].contains(model) ? "\(scratch.url.path)/\(model)" : model
    return try Recipe(
      yaml: """
        model: {name: "\(name)", startsFresh: true, chatTemplate: "\(chatTemplate)"}
        stream: {name: folder, folder: "\(scratch.url.path)/stream", validationShare: 0}
        training: {batchSize: 4, precision: fp32, \(training)}
        evaluation: {\(evaluation)}
        """, name: "texts")
  }

  func session(_ recipe: Recipe) throws -> Session { try Session(recipe, places: places) }

  func sentence(_ recipe: Recipe) -> String { scratch.sentence { _ = try session(recipe) } }

  /// The folder of a finished run.
  func run(_ recipe: Recipe, name: String = "run") throws -> URL {
    var runner = Runner(places: places)
    runner.isQuiet = true
    let folder = scratch.url.appendingPathComponent(name)
    try runner.run(recipe, in: folder, start: .new)
    return folder
  }
}
