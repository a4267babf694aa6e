import Continual
import Foundation
import Streams
import Testing

@testable import Recipes

@Suite struct DataDeskTests {
  private let scratch: Scratch
  private let desk: DataDesk

  init() throws {
    scratch = try Scratch()
    desk = DataDesk(places: scratch.places)
    try scratch.write(
      """
      {"text": "the cat sat", "label": "cat"}
      {"text": "the cat sat.", "label": "cat"}
      {"text": "a dog ran on and on and on", "label": "dog"}

      """, to: "pets/train.jsonl")
    try scratch.write("{\"text\": \"The cat sat!\", \"label\": \"cat\"}\n", to: "pets/test.jsonl")
    try scratch.write(
      #"{"name": "pets", "experiences": [{"name": "home", "train": "train.jsonl", "test": "test.jsonl"}]}"#,
      to: "pets/stream.json")
  }

  @Test func aFolderIsRegisteredListedAndForgotten() throws {
    let folder = scratch.url.appendingPathComponent("pets")
    #expect(try desk.add("animals", folder: folder).experiences.count == 1)
    #expect(try desk.items().map(\.name) == ["animals"])
    #expect(try desk.stream("animals").name == "pets")
    try desk.remove("animals")
    #expect(try desk.items().isEmpty)
  }

  @Test func aReportCountsAndRemarks() throws {
    let report = try desk.add("animals", folder: scratch.url.appendingPathComponent("pets"))
    #expect(
      report.text == """
        pets: 1 experience, 2 classes, domain-incremental

        experience  split  examples  balance  labels
        home        train  3         0.50     cat 2, dog 1
        home        test   1         0.00     cat 1, dog 0

        look: 'home' has 1 test texts that stand in its training data too (test:1)
        look: 'home' repeats 1 training texts
        """)
  }

  @Test func labelsThatDifferOnlyInCaseOrBlanksAreRemarked() throws {
    try scratch.examples(["Pos", "pos", " pos"], 6, salt: "it", to: "pets/train.jsonl")
    try scratch.examples(["Pos"], 1, salt: "was", to: "pets/test.jsonl")
    let report = try desk.add("animals", folder: scratch.url.appendingPathComponent("pets"))
    #expect(report.text.contains("\nlook: labels ' pos', 'Pos' and 'pos' differ only in case or blanks"))
  }

  @Test func aModelThatAnswersInTextIsShownItsPrompt() throws {
    let texts = try TextScratch()
    let desk = DataDesk(places: texts.places)
    _ = try desk.add("plain", folder: texts.scratch.url.appendingPathComponent("stream"))
    for model in ["decoder", "encoder-decoder"] {
      let path = texts.scratch.url.appendingPathComponent(model).path
      let sample = try #require(try desk.samples("plain", model: path, maxTokens: 64, count: 1).first)
      #expect(sample.text == "the cat 0\nOptions: cat, dog\nAnswer:")
      #expect(
        sample.lines.hasPrefix("one · train:1\n  text    the cat 0\n          Options: cat, dog\n          Answer:\n"))
      #expect(sample.lines.hasSuffix("\n  label   cat (class 0)") && sample.cutTokens == 0)
      // What is trained on.
      let session = try texts.session(texts.recipe(model))
      #expect(session.trainer.learner.data(of: session.stream.experiences[0]).train[0].tokens == sample.ids)
    }
    let encoder = try #require(try desk.samples("plain", model: "bert-tiny", maxTokens: 64, count: 1).first)
    #expect(encoder.text == "the cat 0")
  }

  @Test func anAnswerIsShownWithoutAClassAndADocumentWithoutAPrompt() throws {
    let texts = try TextScratch()
    let desk = DataDesk(places: texts.places)
    let path = texts.scratch.url.appendingPathComponent("decoder").path
    try texts.writeStream(#""answer": "label", "prompt": "Who? {text}""#)
    _ = try desk.add("free", folder: texts.scratch.url.appendingPathComponent("stream"))
    let answer = try #require(try desk.samples("free", model: path, maxTokens: 64, count: 1).first)
    #expect(answer.text == "Who? the cat 0" && answer.lines.hasSuffix("\n  answer  cat"))
    try texts.writeStream(#""documents": true"#)
    let document = try #require(try desk.samples("free", model: path, maxTokens: 64, count: 1).first)
    #expect(document.text == "the cat 0" && document.lines.contains(/tokens  .*\)$/))
  }

  @Test func examplesAreShownAsAModelSeesThem() throws {
    _ = try desk.add("animals", folder: scratch.url.appendingPathComponent("pets"))
    let samples = try desk.samples("animals", model: "bert-tiny", maxTokens: 5, count: 3)
    #expect(samples[0].tokens == ["[CLS]", "the", "cat", "sat", "[SEP]"])
    #expect(samples[0].cutTokens == 0)
    #expect(samples[2].cutTokens == 5)
    #expect(
      samples[2].lines == """
        home · train:3
          text    a dog ran on and on and on
          tokens  [CLS] a dog ran [SEP]  (5, 5 more are cut)
          label   dog (class 1)
        """)
  }
}
