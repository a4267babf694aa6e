import Continual
import Foundation
import Streams
import Testing

@testable import Recipes

/// How texts become what a model reads: what is cut, what is refused, and what is said of it.
@Suite struct TextReadingTests {
  private func lengths(_ session: Session) -> Set<Int> {
    Set(session.trainer.learner.data(of: session.stream.experiences[0]).train.map(\.tokens.count))
  }

  private let long = (0..<6).map {
    (Array(repeating: "the cat", count: 40).joined(separator: " ") + " \($0)", ["cat", "dog"][$0 % 2])
  }

  @Test func thePositionsOfADecoderHoldTheAnswerAndThoseOfAnEncoderDecoderDoNot() throws {
    let texts = try TextScratch()
    try texts.writeTexts(long)
    // 64 positions, 30 of them for an answer.
    #expect(
      lengths(try texts.session(texts.recipe(training: "maxTokens: 60", evaluation: "maxAnswerTokens: 30"))) == [34])
    let recipe = try texts.recipe("encoder-decoder", training: "maxTokens: 60", evaluation: "maxAnswerTokens: 30")
    #expect(lengths(try texts.session(recipe)) == [60])
  }

  @Test func aModelWithoutRoomForAPromptIsRefused() throws {
    let texts = try TextScratch(positions: 32)
    for answer in [32, 50, 30] {
      #expect(
        texts.sentence(try texts.recipe(training: "maxTokens: 20", evaluation: "maxAnswerTokens: \(answer)"))
          == "the model has positions for 32 tokens, and evaluation.maxAnswerTokens keeps \(answer) of them for the "
          + "answer, which leaves no room for a prompt. Lower evaluation.maxAnswerTokens.")
    }
    // [CLS], a word, [SEP].
    #expect(
      lengths(try texts.session(texts.recipe(training: "maxTokens: 20", evaluation: "maxAnswerTokens: 29"))) == [3])
  }

  @Test(arguments: ["decoder", "bert-tiny"]) func moreTokensThanPositionsAreRefusedWhereAskedFor(
    _ model: String
  ) throws {
    let texts = try TextScratch(positions: 40)
    try texts.writeTexts(long)
    var recipe = try texts.recipe(model, training: "maxTokens: 41")
    recipe.model.startsFresh = model == "decoder"
    #expect(
      texts.sentence(recipe)
        == "training.maxTokens is 41, and the model has positions for 40 tokens. Set training.maxTokens to 40 or less, or "
        + "choose a model that reads more.")
    recipe.training.maxTokens = TrainingSettings().maxTokens
    #expect(lengths(try texts.session(recipe)) == [model == "decoder" ? 36 : 40])
  }

  @Test func labelsThatWouldBeCutAreRefused() throws {
    let texts = try TextScratch()
    try texts.writeTexts([("a", "the cat ran on the bed"), ("b", "the cat ran on the bus"), ("c", "dog")])
    // "bus" is three tokens, "bed" two.
    #expect(
      texts.sentence(try texts.recipe())
        == "the label 'the cat ran on the bus' of 'one' is an answer of 9 tokens, with the one that ends it, and "
        + "evaluation.maxAnswerTokens is 4, at which labels could become the same. Set it to 9 or more.")
    let session = try texts.session(texts.recipe(evaluation: "maxAnswerTokens: 9"))
    let options = session.trainer.learner.data(of: session.stream.experiences[0]).options
    #expect(options.map(\.count).sorted() == [2, 8, 9])
  }

  @Test func aPromptWithoutAWordIsReadAsTheEndOfTheTextBefore() throws {
    let texts = try TextScratch(isBare: true)
    try texts.writeStream(#""answer": "label", "prompt": "{text}""#)
    let folder = try texts.run(
      texts.recipe(training: "maxTokens: 40, maxUpdates: 1", evaluation: "maxAnswerTokens: 4, answers: rougeL"))
    let predictor = try Predictor(folder, task: nil, places: texts.places)
    let answers = try predictor.predict([.init(text: ""), .init(text: "the cat")]).map(\.answer)
    #expect(answers.count == 2 && answers.allSatisfy { $0 != nil })
    // A control character alone leaves no token.
    try texts.writeTexts([(#"\u0001"#, "cat"), ("the dog", "dog")])
    let session = try texts.session(
      texts.recipe(training: "maxTokens: 40", evaluation: "maxAnswerTokens: 4, answers: rougeL"))
    let train = session.trainer.learner.data(of: session.stream.experiences[0]).train
    #expect(train.map(\.tokens.count) == [1, 2] && train[0].tokens == [3])
  }

  @Test func aPretrainedDecoderGoesOnFromNothing() throws {
    let texts = try TextScratch(positions: 32, isBare: true)
    try texts.writeStream(#""documents": true"#)
    let folder = try texts.run(
      texts.recipe(training: "maxTokens: 16, objective: causal, packing: none, maxUpdates: 1"))
    let session = try Session.restored(folder, places: texts.places)
    #expect(try session.begun("") == [3] && session.begun("the cat").count == 2)
    #expect(try session.begun(long[0].0).count == 28)
    let answers = try Predictor(folder, task: nil, places: texts.places).predict([.init(text: "")])
    #expect(answers[0].answer != nil)
    // What only an answer needs is said where one is asked for.
    var narrow = try texts.recipe(training: "maxTokens: 16, objective: causal, packing: none")
    narrow.evaluation.maxAnswerTokens = 32
    let open = try texts.session(narrow)
    #expect(throws: TextError.noRoomForPrompts(answer: 32, positions: 32)) { try open.begun("the cat") }
  }

  @Test func documentsOfUnknownWordsAloneTeachNothing() throws {
    let texts = try TextScratch()
    try texts.writeStream(#""documents": true"#)
    try texts.writeTexts([("the cat ran", "-"), ("☂ ☃", "-"), ("the dog", "-")])
    var recipe = try texts.recipe("bert-tiny", training: "maxTokens: 16, objective: masked, packing: none")
    recipe.model.startsFresh = false
    let session = try texts.session(recipe), data = session.trainer.learner.data(of: session.stream.experiences[0])
    #expect(data.train.map(\.tokens.count) == [5, 4] && data.test.count == 2)
    recipe.training.batchSize = 1
    _ = try texts.run(recipe)
  }

  @Test func anEncoderReadsAsMuchOfALongTextAsItsPromptLeaves() throws {
    let run = try TinyRun(method: "{progressive-prompts: {length: 8}}")
    let text = long[0].0
    // 40 positions: 32 tokens fit behind the first prompt, 24 behind both.
    let session = try Session.restored(run.folder, places: run.places)
    let lengths = try session.stream.experiences.map { experience in
      let data = Dataset(
        name: "long", labels: experience.labels, examples: [Example(id: "0", text: text, pair: text, label: 0)])
      return try session.tokenized(data, of: experience).map(\.tokens.count)
    }
    #expect(lengths == [[32], [24]])
    for task in ["one", "two"] {
      let answers = try Predictor(run.folder, task: task, places: run.places).predict([.init(text: text)])
      #expect(answers[0].label != nil)
    }
    try run.scratch.write(#"{"text": "\#(text)", "label": "film"}"#, to: "long.jsonl")
    let data = run.scratch.url.appendingPathComponent("long.jsonl")
    #expect(try Scores(run.folder, data: data, experience: "two", places: run.places).rows[0].accuracy != nil)
  }
}

/// What is said before training of texts that are too long.
@Suite struct RemarkTests {
  @Test func textsAndAnswersThatLoseTheirEndAreCounted() throws {
    let texts = try TextScratch()
    try texts.writeStream(#""answer": "label", "prompt": "{text}""#)
    try texts.writeTexts([
      ("the cat ran on", "the cat"), ("the cat ran on the red", "the cat ran"), ("the cat", "the cat ran on"),
    ])
    let evaluation = "maxAnswerTokens: 4, answers: rougeL"
    // [CLS], six words, [SEP].
    let cut = try texts.session(texts.recipe(training: "maxTokens: 6", evaluation: evaluation))
    #expect(
      cut.remarks == [
        "one: 2 of 6 texts have more than the 6 tokens of training.maxTokens, and lose their end",
        "one: 2 of 6 answers have more than the 4 tokens of evaluation.maxAnswerTokens, with the one that ends them, and "
          + "lose their end",
      ])
    #expect(
      try texts.session(texts.recipe(training: "maxTokens: 8", evaluation: "maxAnswerTokens: 5, answers: rougeL"))
        .remarks.isEmpty)
  }

  @Test func whatLimitsATextIsNamed() throws {
    let texts = try TextScratch()
    let long = Array(repeating: "the cat", count: 40).joined(separator: " ")
    try texts.writeTexts([(long, "cat"), ("the", "dog")])
    #expect(
      try texts.session(texts.recipe(training: "epochs: 1", evaluation: "maxAnswerTokens: 14")).remarks == [
        "one: 2 of 4 texts have more than the 50 tokens that evaluation.maxAnswerTokens leaves of the model's 64 "
          + "positions, and lose their end"
      ])
    var encoder = try texts.recipe("bert-tiny", training: "epochs: 1")
    encoder.model.startsFresh = false
    #expect(
      try texts.session(encoder).remarks
        == ["one: 2 of 4 texts have more than the 40 tokens that the model has positions for, and lose their end"])
  }

  @Test func conversationsThatLosePartsAreCounted() throws {
    let texts = try TextScratch()
    try texts.writeStream(#""conversations": true"#)
    // A template whose marks the tokenizer spells out: [INST] in brackets and letters.
    func talk(_ turns: [(String, String)]) -> String {
      let messages = turns.flatMap { [("user", $0), ("assistant", $1)] }
        .map { #"{"role": "\#($0)", "content": "\#($1)"}"# }
      return #"{"messages": [\#(messages.joined(separator: ", "))]}"#
    }
    let long = Array(repeating: "the cat", count: 40).joined(separator: " ")
    let lines = [
      talk([("the", "cat"), ("the dog", "ran")]), talk([(long, "cat")]), talk([("the", long)]), talk([("a", "b")]),
    ]
    for split in ["train", "test"] {
      try texts.scratch.write(lines.joined(separator: "\n"), to: "stream/\(split).jsonl")
    }
    try texts.scratch.write(
      #"{"unk_token": "[UNK]", "bos_token": "[CLS]", "eos_token": "[SEP]"}"#, to: "decoder/tokenizer_config.json")
    let session = try texts.session(
      texts.recipe(training: "maxTokens: 30", evaluation: "maxAnswerTokens: 4", chatTemplate: "llama2"))
    #expect(
      session.remarks == [
        "one: training.maxTokens is too few for some of 8 conversations; left out are the first turns of 2, the end of the "
          + "question of 2, the end of the answer of 2"
      ])
  }
}
