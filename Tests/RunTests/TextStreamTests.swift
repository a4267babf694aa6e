import Foundation
import Testing

/// Answers on the terminal, by the built program.
@Suite(.timeLimit(.minutes(2))) struct TextStreamTests {
  @Test func `an answer that is streamed is the one of the JSON line`() throws {
    let workshop = try Workshop()
    try workshop.write(
      """
      {"model_type": "llama", "vocab_size": 100, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
       "num_attention_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
       "eos_token_id": 3, "initializer_range": 0.2}
      """, to: "model/config.json")
    try workshop.edit("stream/stream.json") {
      $0.replacingOccurrences(of: #""labels": ["no", "yes"]"#, with: #""answer": "label""#)
    }
    try workshop.write(
      """
      model: {name: model, startsFresh: true}
      stream: {name: folder, folder: stream, tasks: [one]}
      training: {maxUpdates: 2, precision: fp32}
      evaluation: {answers: rougeL, maxAnswerTokens: 8}
      """, to: "text.yaml")
    let trained = try workshop.run("text.yaml", "--out", "run", "--quiet")
    #expect(trained.status == 0, "\(trained.text)")
    let ask = ["predict", "run", "--task", "one", "--text", "the cat"]
    struct Line: Decodable { let answer: String }
    let line = try Jay.start(ask, in: workshop.url).wait()
    let streamed = try Jay.start(ask + ["--stream"], in: workshop.url).wait()
    let answer = try JSONDecoder().decode(Line.self, from: Data(line.text.utf8)).answer
    #expect(!answer.isEmpty && streamed.status == 0 && streamed.text == answer + "\n")
    let file = try Jay.start(["predict", "run", "--task", "one", "texts.jsonl", "--stream"], in: workshop.url).wait()
    #expect(file.status != 0 && file.text.contains("--stream goes with --text; a file is answered in lines."))
  }
}
