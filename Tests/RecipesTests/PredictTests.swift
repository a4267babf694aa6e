import Foundation
import Streams
import Testing

@testable import Recipes

@Suite struct PredictTests {
  @Test func answersAreLabelsOfTheTaskWithProbabilities() throws {
    let run = try TinyRun()
    let predictor = try Predictor(run.folder, task: "two", places: run.places)
    let inputs = (0..<9).map { Predictor.Input(id: "\($0)", text: String(repeating: "the film ", count: 1 + $0)) }
    let answers = try predictor.predict(inputs)
    #expect(answers.map(\.id) == inputs.map(\.id))
    #expect(answers.map(\.text) == inputs.map(\.text))
    #expect(answers.allSatisfy { ["film", "book"].contains($0.label) && (0.5...1).contains($0.probability ?? 0) })
  }

  @Test func withoutATaskLabelTheAnswerIsAmongAllClasses() throws {
    let run = try TinyRun(.untold)
    let answer = try #require(
      try Predictor(run.folder, task: nil, places: run.places).predict([.init(text: "the film", pair: "it")]).first)
    #expect(["one/cat", "one/dog", "two/film", "two/book"].contains(answer.label))
    #expect((0.25...1).contains(answer.probability ?? 0))
    let shared = try TinyRun(.shared)
    let other = try #require(
      try Predictor(shared.folder, task: nil, places: shared.places).predict([.init(text: "the cat")]).first)
    #expect(["cat", "dog"].contains(other.label))
  }

  @Test func predictionsAgreeWithTheScores() throws {
    let run = try TinyRun()
    let stream = try Session.restored(run.folder, places: run.places).stream
    for row in try Scores(run.folder, places: run.places).rows {
      let test = try #require(stream.experiences.first { $0.name == row.experience }).test
      let answers = try Predictor(run.folder, task: row.experience, places: run.places).predict(
        test.examples.map { .init(text: $0.text) })
      let right = zip(answers, test.examples).filter { $0.label == test.labels[$1.label] }.count
      #expect(row.accuracy == 100 * Double(right) / Double(test.count))
      #expect(row.accuracy == row.recorded)
      #expect(row.examples == test.count)
    }
  }

  @Test func otherDataAreScoredWithTheLabelsOfTheirExperience() throws {
    let run = try TinyRun()
    let data = try run.scratch.examples(["book", "film"], 6, salt: "it", to: "more.jsonl")
    let scores = try Scores(run.folder, data: data, experience: "two", places: run.places)
    #expect(scores.rows.map(\.experience) == ["two"])
    #expect(scores.rows.map(\.examples) == [6])
    #expect(scores.text.hasPrefix("after two\nexperience  examples  accuracy  macro-F1  recorded\n"))
    let wrong = try run.scratch.examples(["cat"], 2, salt: "it", to: "wrong.jsonl")
    #expect(
      run.scratch.sentence { _ = try Scores(run.folder, data: wrong, experience: "two", places: run.places) }.contains(
        "cat"))
  }

  @Test func questionsThatCannotBeAnsweredSayWhy() throws {
    let run = try TinyRun(), untold = try TinyRun(.untold)
    #expect(
      run.scratch.sentence { _ = try Predictor(run.folder, task: nil, places: run.places) }
        == "this model is told the task when it predicts. Name one: --task one (the tasks are one, two).")
    #expect(
      untold.scratch.sentence { _ = try Predictor(untold.folder, task: "one", places: untold.places) }
        == "this model was trained on 'tiny' without task labels at test time, so it chooses among all labels. Leave out --task."
    )
    #expect(
      run.scratch.sentence { _ = try Predictor(run.folder, task: "on", places: run.places) }
        == "stream tiny has no task \"on\" (did you mean \"one\"?); name some of \"one\", \"two\"")
    #expect(
      "\(PredictionError.predictsTokens)"
        == "this run pretrained an encoder, which fills in hidden tokens and answers nothing. 'jay export' writes the "
        + "model; train it on a task and ask that run.")
    #expect(
      "\(ResultError.notTrained(task: "two", trained: ["one"]))"
        == "the run has not learned 'two' yet, only one. Finish it with 'jay run --resume', or name another task.")
    #expect(
      run.scratch.sentence { _ = try Predictor(run.scratch.url, task: nil, places: run.places) }
        .hasSuffix("is not the folder of a run: it has no recipe.yaml. 'jay run' writes such folders."))
  }

  @Test func inputsAreJSONLinesAndABadLineIsNamed() throws {
    let inputs = try Predictor.Input.read(
      Data("{\"text\": \"a\", \"id\": 7}\r\n\n{\"text\": \"b\", \"pair\": \"c\", \"id\": \"x\"}".utf8), name: "in")
    #expect(inputs.map(\.id) == ["7", "x"] && inputs[1] == .init(id: "x", text: "b", pair: "c"))
    #expect(throws: PredictionError.badLine(file: "in", line: 2)) {
      try Predictor.Input.read(Data("{\"text\": \"a\"}\nb".utf8), name: "in")
    }
    #expect(
      "\(PredictionError.badLine(file: "in", line: 2))"
        == "in:2: not a JSON object with a \"text\" (and perhaps \"pair\" and \"id\"). Write lines such as {\"text\": \"…\"}."
    )
    #expect(
      "\(PredictionError.noFile("in"))"
        == "there is no file in. Name a JSONL, CSV or TSV file, '-' for standard input, or give --text TEXT.")
  }

  @Test func anIdComesBackAsItWasGiven() throws {
    let run = try TinyRun()
    let ids = [
      "7", "-7", "18446744073709551615", "1.5", "\"7\"", "true", #"["a",{"b":1}]"#, #"{"a":null,"b":2}"#,
    ]
    let lines = ids.map { #"{"id": \#($0), "text": "the film"}"# } + [#"{"id": null, "text": "the film"}"#]
    let inputs = try Predictor.Input.read(Data(lines.joined(separator: "\n").utf8), name: "in")
    let answers = try Predictor(run.folder, task: "two", places: run.places).lines(inputs).split(separator: "\n")
    for (id, answer) in zip(ids, answers) { #expect(answer.hasPrefix("{\"id\":\(id),\"label\":")) }
    #expect(answers.count == 9 && answers[8].hasPrefix("{\"label\":"))
  }

  @Test func aCompressedFileIsReadAndAFolderIsNamed() throws {
    let scratch = try Scratch()
    // printf '{"text": "a", "id": 1}\n' | gzip -n
    let gzip = try #require(Data(base64Encoded: "H4sIAAAAAAAAA6tWKkmtKFGyUlBKVNJRUMpMATINa7kAeQNE1BcAAAA="))
    let file = try scratch.write("", to: "x.jsonl.gz")
    try gzip.write(to: file)
    #expect(try Predictor.Input.read(file).map(\.text) == ["a"])
    try scratch.write("plain", to: "y.jsonl.gz")
    #expect(
      scratch.sentence { _ = try Predictor.Input.read(scratch.url.appendingPathComponent("y.jsonl.gz")) }
        == "y.jsonl.gz: not gzip although the name ends in .gz; rename it, or compress it with gzip")
    try scratch.write("", to: "some/x.jsonl")
    #expect(
      scratch.sentence { _ = try Predictor.Input.read(scratch.url.appendingPathComponent("some")) }
        == "some is a folder. Name a file in it, '-' for standard input, or give --text TEXT.")
    #expect(
      scratch.sentence { _ = try Predictor.Input.read(scratch.url.appendingPathComponent("none")) }
        == "there is no file none. Name a JSONL, CSV or TSV file, '-' for standard input, or give --text TEXT.")
  }

  @Test func tablesAreReadByTheirColumns() throws {
    let scratch = try Scratch()
    let file = try scratch.write("id,text,second\n7,\"a, b\",c\n8,d,e\n", to: "new.csv")
    #expect(try Predictor.Input.read(file) == [.init(id: "new:2", text: "a, b"), .init(id: "new:3", text: "d")])
    let shouting = try scratch.write("text\na\n", to: "NEW.CSV")
    #expect(try Predictor.Input.read(shouting).map(\.text) == ["a"])
    let tabs = try scratch.write("body\tsecond\tkey\na\tb\tx\n", to: "new.tsv")
    #expect(
      try Predictor.Input.read(tabs, columns: Columns(text: ["body"], pair: ["second"], id: "key"))
        == [.init(id: "x", text: "a", pair: "b")])
    #expect(
      scratch.sentence { _ = try Predictor.Input.read(tabs) }
        == "new.tsv:1: no field \"text\" among \"body\", \"second\", \"key\"; add it, or name another column")
  }
}
