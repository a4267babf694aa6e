import Foundation
import Testing
import Tokenizers

@testable import Recipes

/// Answers that are shown while they are written.
@Suite struct AnswerStreamTests {
  private let tokenizer: any Tokenizer

  init() throws {
    tokenizer = try TokenizerLoader.load(from: Scratch().places.models.appendingPathComponent("bert-tiny"))
  }

  /// The pieces that are shown of a text, whose answer is `answer`.
  private func pieces(
    _ text: String, _ answer: String, stops: [String] = [], said: @escaping (String) -> String? = { $0 }
  ) -> [String] {
    var shown: [String] = []
    var stream = AnswerStream(tokenizer, stops: stops, said: said) { shown.append($0) }
    for id in tokenizer.encode(text).ids { stream.append(id) }
    stream.finish(answer)
    return shown
  }

  @Test func thePiecesJoinedAreTheAnswer() {
    let shown = pieces("the cat was very good", "the cat was very good")
    #expect(shown.count > 2 && shown.joined() == "the cat was very good")
    #expect(pieces("", "").isEmpty)
  }

  @Test func nothingOfAStopStringIsShown() {
    let shown = pieces("the cat ran on the red dog", "the cat ran on ", stops: ["the red"])
    #expect(shown.joined() == "the cat ran on ")
    // What only began like one comes with what follows.
    #expect(pieces("the cat ran", "the cat ran", stops: ["cat sat"]).joined() == "the cat ran")
    #expect(pieces("the cat ran", "the cat ran", stops: ["cat sat"]).contains { $0.contains("cat ran") })
  }

  @Test func whatIsNotSaidYetIsHeldBack() {
    var asked: [String] = []
    let shown = pieces("the cat ran", "ran") { text in
      asked.append(text)
      return text.hasSuffix("ran") ? "ran" : nil
    }
    #expect(shown == ["ran"] && asked.count == 3)
  }

  @Test func thoughtsAreNotSaid() throws {
    let plain = "'<|im_start|>' + message['role'] + '\n' <|im_end|> '<|im_start|>assistant\n'"
    let thinker = try ChatTemplate(recognising: plain + " reasoning_content", bos: "", eos: "")
    for text in ["", "\n", "<th", "<think>\nHm.", "<think>Hm.</th"] {
      #expect(thinker.said(soFar: text) == nil, "\(text)")
    }
    #expect(thinker.said(soFar: "<think>Hm.</think>\n\nYes") == "Yes" && thinker.said(soFar: "Yes") == "Yes")
    let other = try ChatTemplate(recognising: plain, bos: "", eos: "")
    for text in ["", "<th", "<think> Yes"] { #expect(other.said(soFar: text) == text) }
  }

  @Test func aRunStreamsWhatItPredicts() throws {
    let texts = try TextScratch()
    try texts.writeStream(#""answer": "label""#)
    let folder = try texts.run(
      texts.recipe(
        training: "maxTokens: 40, maxUpdates: 2",
        evaluation: "maxAnswerTokens: 8, answers: rougeL, temperature: 2, stopStrings: [z]"))
    let predictor = try Predictor(folder, task: nil, places: texts.places)
    for text in ["the cat", "the dog ran", ""] {
      var shown: [String] = []
      try predictor.stream(.init(text: text)) { shown.append($0) }
      #expect(try predictor.predict([.init(text: text)])[0].answer == shown.joined())
    }
  }

  @Test func whatCannotBeStreamedSaysWhy() throws {
    let run = try TinyRun()
    let classifier = try Predictor(run.folder, task: "one", places: run.places)
    #expect(
      run.scratch.sentence { try classifier.stream(.init(text: "a")) { _ in } }
        == "this run answers with a label, which comes all at once. Leave out --stream.")
    let texts = try TextScratch()
    try texts.writeStream(#""answer": "label""#)
    let folder = try texts.run(
      texts.recipe(
        training: "maxTokens: 40, maxUpdates: 1", evaluation: "maxAnswerTokens: 4, answers: rougeL, beams: 2"))
    let searcher = try Predictor(folder, task: nil, places: texts.places)
    #expect(
      texts.scratch.sentence { try searcher.stream(.init(text: "a")) { _ in } }
        == "this run writes with a beam search (evaluation.beams is 2), which knows its answer only at the end. Leave out "
        + "--stream.")
  }
}
