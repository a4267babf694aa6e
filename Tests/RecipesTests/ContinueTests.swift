import Continual
import Evaluation
import Foundation
import Streams
import Testing
import Torch

@testable import Recipes

@Suite struct ContinueTests {
  @Test func theMatrixGrowsByARowAndAColumnAndItsOldCellsStay() throws {
    let run = try TinyRun()
    let before = try matrices(run)
    let data = try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "new.jsonl")
    var notes: [String] = []
    try run.runner.extend(run.folder, with: Addition(data: data)) { notes.append($0) }
    #expect(notes == ["no test file: 4 of 20 examples of new.jsonl are held out as the test set"])
    let after = try matrices(run)
    #expect(after.accuracy.experiences == ["one", "two", "new"])
    #expect(after.accuracy.isComplete)
    for (old, new) in zip(before.accuracy.rows, after.accuracy.rows) { #expect(new == old + [nil]) }
    for (old, new) in zip(before.macroF1.rows, after.macroF1.rows) { #expect(new == old + [nil]) }
    #expect(after.accuracy.rows[2].allSatisfy { $0 != nil })
    #expect(after.accuracy.before == before.accuracy.before.map { $0 + [nil] })
    #expect(run.directory.isComplete)
    #expect(try Verification(run.folder).isSound)
  }

  @Test func theRunStaysWholeWhenTheDataMoveAwayAndCanBeContinuedAgain() throws {
    let run = try TinyRun()
    for (index, name) in ["third", "fourth"].enumerated() {
      let data = try run.scratch.examples(["bird", "cat"], 20, salt: "is \(index)", to: "new.jsonl")
      try run.runner.extend(run.folder, with: Addition(data: data, name: name))
      try FileManager.default.removeItem(at: data)
    }
    #expect(try matrices(run).accuracy.experiences == ["one", "two", "third", "fourth"])
    #expect(Added.folders(in: run.directory).map(\.lastPathComponent) == ["01-third", "02-fourth"])
    #expect(try Scores(run.folder, places: run.places).rows.map(\.recorded) == matrices(run).accuracy.rows[3])
  }

  @Test func testDataPairsAndColumnsAreTakenAsGiven() throws {
    let run = try TinyRun()
    let rows = { (salt: String) in
      (0..<8).map {
        #"{"title": "cat \#($0)", "body": "\#(salt)", "other": "dog", "topic": "\#($0 % 2 == 0 ? #"no, \"x\""# : "yes")"}"#
      }
      .joined(separator: "\n")
    }
    let addition = Addition(
      data: try run.scratch.write(rows("ran"), to: "a.jsonl"), test: try run.scratch.write(rows("sat"), to: "b.jsonl"),
      name: "Pärs & co",
      columns: Columns(text: ["title", "body"], pair: ["other"], label: "topic"))
    try run.runner.extend(run.folder, with: addition)
    let experience = try #require(try Added.experiences(in: run.directory).first)
    #expect(experience.name == "Pärs & co")
    #expect(experience.labels == ["no, \"x\"", "yes"])
    #expect(experience.train.examples[1] == Example(id: "a:2", text: "cat 1\nran", pair: "dog", label: 1))
    #expect(experience.test.count == 8)
    #expect(Added.folders(in: run.directory).map(\.lastPathComponent) == ["01-p-rs---co"])
  }

  @Test func aFolderOfSplitsAndAStreamFolderAreTakenToo() throws {
    let run = try TinyRun()
    try run.scratch.examples(["bird", "cat"], 8, salt: "is", to: "april/train.jsonl")
    try run.scratch.examples(["bird", "cat"], 4, salt: "was", to: "april/test.jsonl")
    try run.scratch.examples(["bird", "cat"], 4, salt: "will be", to: "april/valid.jsonl")
    try run.runner.extend(run.folder, with: Addition(data: run.scratch.url.appendingPathComponent("april")))
    #expect(try Added.experiences(in: run.directory).first?.validation.count == 4)
    try run.scratch.examples(["bird", "cat"], 8, salt: "so", to: "more/x.jsonl")
    try run.scratch.examples(["bird", "cat"], 4, salt: "we", to: "more/y.jsonl")
    try run.scratch.write(
      #"{"name": "s", "experiences": [{"name": "may", "train": "x.jsonl", "test": "y.jsonl"}, {"name": "june", "train": "y.jsonl", "test": "x.jsonl"}]}"#,
      to: "more/stream.json")
    try run.runner.extend(run.folder, with: Addition(data: run.scratch.url.appendingPathComponent("more")))
    #expect(try matrices(run).accuracy.experiences == ["one", "two", "april", "may", "june"])
    #expect(try matrices(run).accuracy.isComplete)
  }

  @Test func sharedLabelsKeepTheirClassesAndUnknownOnesExtendThem() throws {
    let run = try TinyRun(.shared)
    let data = try run.scratch.examples(["dog", "bird"], 20, salt: "is blue", to: "new.jsonl")
    var notes: [String] = []
    try run.runner.extend(run.folder, with: Addition(data: data)) { notes.append($0) }
    #expect(notes.contains("new to the run's labels: 'bird'"))
    let stream = try Session.restored(run.folder, places: run.places).stream
    #expect(stream.classNames == ["cat", "dog", "bird"])
    #expect(stream.experiences[2].labels == ["cat", "dog", "bird"])
    #expect(stream.experiences[2].classes == [0, 1, 2])
  }

  @Test func labelsThatAreKnownOnesButForCaseOrBlanksAreRefused() throws {
    let run = try TinyRun(.shared)
    let data = try run.scratch.examples(["Cat", "dog", "do g", "bird"], 20, salt: "is blue", to: "new/train.jsonl")
    let sentence =
      "the labels 'Cat' and 'do g' differ only in case or blanks from 'cat' and 'dog', which the run knows, and would "
      + "become classes of their own. Write them as the run does."
    #expect(run.scratch.sentence { try run.runner.extend(run.folder, with: Addition(data: data)) } == sentence)
    try run.scratch.write(
      #"{"name": "s", "experiences": [{"name": "new", "train": "train.jsonl", "test": "train.jsonl"}]}"#,
      to: "new/stream.json")
    let folder = run.scratch.url.appendingPathComponent("new")
    #expect(run.scratch.sentence { try run.runner.extend(run.folder, with: Addition(data: folder)) } == sentence)
    #expect(run.directory.isComplete && Added.folders(in: run.directory).isEmpty)
  }

  @Test func newLabelsThatLookAlikeAreRemarkedWhereTasksHaveTheirOwn() throws {
    let run = try TinyRun()
    let stream = try Session.restored(run.folder, places: run.places).stream
    let data = try run.scratch.examples(["Cat", "cat"], 20, salt: "is blue", to: "new.jsonl")
    let notes = try Addition(data: data).read(behind: stream, seed: 0).notes
    #expect(notes.last == "labels 'Cat' and 'cat' differ only in case or blanks")
  }

  @Test func aContinueInterruptedAndResumedEqualsTheUninterruptedOne() throws {
    let (whole, stopped) = (try TinyRun(), try TinyRun())
    for run in [whole, stopped] { try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "new.jsonl") }
    try whole.runner.extend(whole.folder, with: addition(whole))
    var runner = stopped.runner
    var updates = 0
    runner.isInterrupted = {
      updates += 1
      return updates == 3
    }
    #expect(throws: TrainingError.self) { try runner.extend(stopped.folder, with: addition(stopped)) }
    #expect(!stopped.directory.isComplete)
    #expect(try matrices(stopped).accuracy.experiences == ["one", "two", "new"])
    try resume(stopped)
    try expectEqualEnds(whole, stopped)
  }

  // Those that need an encoder-decoder go on in `TextRunTests`.
  @Test(arguments: MethodIndex.all.map { $0.card }.filter { !$0.requires.contains(.encoderDecoder) }.map { $0.name })
  func everyMethodContinuesTheSameWhenItIsInterrupted(_ method: String) throws {
    let whole = try TinyRun(method: method)
    let stopped = try TinyRun(copying: whole)
    for run in [whole, stopped] { try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "new.jsonl") }
    try whole.runner.extend(whole.folder, with: addition(whole))
    var runner = stopped.runner
    var updates = 0
    runner.isInterrupted = {
      updates += 1
      return updates == 2
    }
    #expect(throws: TrainingError.self) { try runner.extend(stopped.folder, with: addition(stopped)) }
    try resume(stopped)
    try expectEqualEnds(whole, stopped)
    let rows = try Scores(whole.folder, places: whole.places).rows
    #expect(rows.map(\.accuracy) == rows.map(\.recorded))
  }

  @Test func aContinueKilledBeforeItsFirstCheckpointEqualsTheUninterruptedOne() throws {
    let (whole, killed) = (try TinyRun(), try TinyRun())
    for run in [whole, killed] { try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "new.jsonl") }
    try whole.runner.extend(whole.folder, with: addition(whole))
    _ = try killed.directory.add(addition(killed), places: killed.places)
    #expect(!killed.directory.isComplete)
    try resume(killed)
    try expectEqualEnds(whole, killed)
  }

  @Test func aContinueKilledWhileItsDataWereCopiedLeavesARunThatResumesToItsOldEnd() throws {
    let run = try TinyRun()
    let before = try Data(contentsOf: run.directory.matrix)
    var summary = try JSON.decode(RunDirectory.Summary.self, from: run.directory.summary)
    summary.isComplete = false
    try AtomicFile.write(try JSON.encode(summary), to: run.directory.summary)
    try run.scratch.write("half", to: "run/added/.01-new.tmp/train.jsonl")
    try resume(run)
    #expect(run.directory.isComplete)
    #expect(try Data(contentsOf: run.directory.matrix) == before)
    try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "new.jsonl")
    try run.runner.extend(run.folder, with: addition(run))
    #expect(try matrices(run).accuracy.experiences == ["one", "two", "new"])
  }

  @Test func whatCannotBeContinuedIsSaidAndLeftAsItWas() throws {
    let run = try TinyRun()
    let data = try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "one.jsonl")
    let extend = { (addition: Addition) in run.scratch.sentence { try run.runner.extend(run.folder, with: addition) } }
    #expect(
      extend(Addition(data: data))
        == "the run has an experience 'one' already (one, two). Choose another name: --name NAME")
    let few = try run.scratch.examples(["cat"], 1, salt: "is", to: "few.jsonl")
    #expect(
      extend(Addition(data: few))
        == "few.jsonl has 1 example, too few to hold some out for testing. Give test data: --test FILE")
    let folder = run.scratch.url.appendingPathComponent("empty")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    #expect(
      extend(Addition(data: folder)).hasSuffix(
        "empty has neither a stream.json nor a train.jsonl (.csv, .tsv, each also .gz). Name a file of examples, or add one of these."
      ))
    #expect(
      extend(Addition(data: folder, test: data)).hasSuffix(
        "empty is a folder, which has its own test data. Leave out --test, or name a file in --data."))
    #expect(run.directory.isComplete)
    #expect(Added.folders(in: run.directory).isEmpty)
  }

  @Test func anUnfinishedRunADamagedEndAndChangedDataAreRefused() throws {
    let run = try TinyRun()
    let data = try run.scratch.examples(["bird", "cat"], 20, salt: "is blue", to: "new.jsonl")
    let extend = { run.scratch.sentence { try run.runner.extend(run.folder, with: Addition(data: data)) } }
    let stream = try #require(try Recipe(file: run.directory.recipe).stream.folder as String?)
    let changed = try Recipe(
      file: run.directory.recipe, overrides: ["training.learningRate=2e-3", "stream.folder=\(stream)"])
    try AtomicFile.write(changed.yaml(), to: run.directory.recipe)
    #expect(extend().hasPrefix("the training settings changed since run/checkpoints/0002-00000000 was written"))
    let checkpoint = try #require(Checkpoint.newest(in: run.directory.checkpoints).checkpoint)
    try Data("x".utf8).write(to: checkpoint.url.appendingPathComponent("optimizer.safetensors"))
    #expect(
      extend().contains("is missing or damaged, so nothing can be built on it. 'jay verify "))
    var summary = try JSON.decode(RunDirectory.Summary.self, from: run.directory.summary)
    summary.isComplete = false
    try AtomicFile.write(try JSON.encode(summary), to: run.directory.summary)
    #expect(
      extend().contains("is not finished, so nothing can be added to it yet. Finish it first: jay run --resume --out "))
    #expect(Added.folders(in: run.directory).isEmpty)
  }

  private func addition(_ run: TinyRun) -> Addition {
    Addition(data: run.scratch.url.appendingPathComponent("new.jsonl"))
  }

  private func resume(_ run: TinyRun) throws {
    try run.runner.run(try Recipe(file: run.directory.recipe), in: run.folder, start: .resume)
  }

  private func matrices(_ run: TinyRun) throws -> RunDirectory.Matrices {
    try JSON.decode(RunDirectory.Matrices.self, from: run.directory.matrix)
  }

  private func expectEqualEnds(_ one: TinyRun, _ other: TinyRun) throws {
    #expect(try Data(contentsOf: one.directory.matrix) == Data(contentsOf: other.directory.matrix))
    let files = try [one, other].map { run in
      let checkpoint = try #require(Checkpoint.newest(in: run.directory.checkpoints).checkpoint)
      #expect(checkpoint.url.lastPathComponent == "0003-00000000")
      return try ["weights.safetensors", "method-0.safetensors"].map {
        try Data(contentsOf: checkpoint.url.appendingPathComponent($0))
      }
    }
    #expect(files[0] == files[1])
  }
}
