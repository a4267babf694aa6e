import Continual
import Foundation
import Recipes
import Testing

/// A resumed run is the same run, or it is refused.
@Suite(.timeLimit(.minutes(4))) struct RefusalTests {
  @Test func `a changed recipe, data, tokenizer or model is refused, and nothing is lost`() throws {
    let workshop = try Workshop()
    try workshop.run("recipe.yaml", "--out", "whole")
    try workshop.killedRun("run")

    func refused(_ what: String, _ arguments: [String] = []) throws {
      let resume = ["run", "--resume", "--out", "run", "--threads", "1"]
      let outcome = try Jay.start(resume + arguments, in: workshop.url).wait()
      #expect(outcome.status == 1)
      #expect(outcome.text.contains("the \(what) changed since "), "\(outcome.text)")
    }
    func refused(_ what: String, changing path: String, _ change: (String) -> String) throws {
      let before = try workshop.data(path)
      try workshop.edit(path, change)
      try refused(what)
      try before.write(to: workshop.url[path])
    }
    try refused("recipe", ["--set", "training.batchSize=8"])
    try refused("training settings", ["--set", "training.learningRate=1e-3"])
    try refused("data", changing: "stream/two-train.jsonl") { $0.replacingOccurrences(of: "the", with: "he") }
    try refused("data", changing: "stream/stream.json") {
      $0.replacingOccurrences(of: #""name": "tiny""#, with: #""name": "tiny", "sharedLabels": true"#)
    }
    try refused("tokenizer", changing: "model/tokenizer_config.json") { $0 + "\n" }
    let weights = try workshop.data("model/model.safetensors")
    var changed = weights
    changed[changed.count - 2] ^= 1
    try changed.write(to: workshop.url["model/model.safetensors"])
    try refused("model")
    try weights.write(to: workshop.url["model/model.safetensors"])

    // How often to log and to save is no part of what a run is.
    let outcome = try workshop.run("--resume", "--out", "run", "--set", "training.checkpointSteps=5")
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(try workshop.result("run") == workshop.result("whole"))
  }

  @Test func `other training settings are accepted when asked for`() throws {
    let workshop = try Workshop()
    try workshop.killedRun("run")
    let set = ["--set", "training.learningRate=1e-3", "--allow-changed-training"]
    let outcome = try Jay.start(["run", "--resume", "--out", "run"] + set, in: workshop.url).wait()
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(outcome.text.contains("the training settings changed: from here on this is not the run that began"))
    #expect(try String(decoding: workshop.data("run/recipe.yaml"), as: UTF8.self).contains("learningRate: 0.001"))
  }

  @Test func `another number of threads is pointed out`() throws {
    let workshop = try Workshop()
    try workshop.killedRun("run")
    let outcome = try Jay.start(["run", "--resume", "--out", "run", "--threads", "2"], in: workshop.url).wait()
    #expect(outcome.status == 0)
    #expect(
      outcome.text.contains("the run began with threads 1, now 2: sums may differ in their last bits"),
      "\(outcome.text)")
  }

  @Test func `the seeds of a folder are gone on with together`() throws {
    let workshop = try Workshop()
    let whole = try workshop.run("recipe.yaml", "--seeds", "3,1", "--out", "seeds")
    #expect(whole.status == 0, "\(whole.text)")
    try FileManager.default.removeItem(at: workshop.url["seeds/seed-3"])
    try workshop.killedRun("seeds/seed-3", "--set", "seed=3")
    let resumed = try workshop.run("--resume", "--out", "seeds")
    #expect(resumed.status == 0 && workshop.exists("seeds/seed-3/summary.json"), "\(resumed.text)")
    let mixed = try workshop.run("recipe.yaml", "--out", "seeds")
    #expect(mixed.status == 1 && mixed.text.contains("holds runs of several seeds"), "\(mixed.text)")
    let twice = try workshop.run("recipe.yaml", "--seeds", "1,1", "--out", "twice")
    #expect(twice.status != 0 && twice.text.contains("--seeds names a seed twice"), "\(twice.text)")
    #expect(!workshop.exists("twice"))
  }

  @Test func `two processes do not share a run folder`() throws {
    let workshop = try Workshop()
    try workshop.killedRun("run")
    let directory = RunDirectory(workshop.url["run"])
    try directory.open()
    let outcome = try workshop.run("--resume", "--out", "run")
    #expect(outcome.status == 1)
    #expect(
      outcome.text.contains(
        "is running in \(workshop.url["run"].path). Wait for it, stop it, or choose another --out."),
      "\(outcome.text)")
  }

  @Test func `a finished or begun run is not written over`() throws {
    let workshop = try Workshop()
    try workshop.killedRun("run")
    let begun = try workshop.run("recipe.yaml", "--out", "run")
    #expect(begun.status == 1)
    #expect(
      begun.text.contains("holds a run that is not finished. Add --resume to go on, or choose another --out."),
      "\(begun.text)")
    try workshop.run("--resume", "--out", "run")
    let result = try workshop.result("run")
    let finished = try workshop.run("recipe.yaml", "--out", "run")
    #expect(finished.status == 1)
    #expect(finished.text.contains("holds a finished run. Choose another --out"), "\(finished.text)")
    // Killed before the report was written.
    try FileManager.default.removeItem(at: workshop.url["run/report.html"])
    #expect(try workshop.run("--resume", "--out", "run").status == 0)
    #expect(workshop.exists("run/report.html"))
    // Resuming a finished run is no mistake: a script may always say --resume.
    #expect(try workshop.run("--resume", "--out", "run").status == 0)
    #expect(try workshop.result("run") == result)
  }

  @Test func `a damaged checkpoint is passed over, said so, and the older one leads to the same end`() throws {
    let workshop = try Workshop()
    try workshop.run("recipe.yaml", "--out", "whole")
    try workshop.killedRun("run", after: "0000-00000006")
    let newest = try #require(workshop.names("run/checkpoints").filter { !$0.hasPrefix(".") }.last)
    let file = workshop.url["run/checkpoints/\(newest)/weights.safetensors"]
    try Data(contentsOf: file).dropLast(100).write(to: file)
    let outcome = try workshop.run("--resume", "--out", "run", "--quiet")
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("skipped a checkpoint: "), "\(outcome.text)")
    #expect(outcome.text.contains("/\(newest) is damaged: weights.safetensors does not match the manifest."))
    #expect(try workshop.result("run") == workshop.result("whole"))
  }

  @Test func `a checkpoint of a later version is refused`() throws {
    let workshop = try Workshop()
    try workshop.killedRun("run")
    // As a later version would write it: whole, with another format.
    for name in workshop.names("run/checkpoints").filter({ !$0.hasPrefix(".") }) {
      let folder = "run/checkpoints/\(name)"
      let before = try Fingerprint.file(workshop.url["\(folder)/progress.json"])
      try workshop.edit("\(folder)/progress.json") {
        $0.replacingOccurrences(of: #""format" : 1"#, with: #""format" : 9"#)
      }
      let after = try Fingerprint.file(workshop.url["\(folder)/progress.json"])
      try workshop.edit("\(folder)/manifest.json") { $0.replacingOccurrences(of: before, with: after) }
    }
    let outcome = try workshop.run("--resume", "--out", "run")
    #expect(outcome.status == 1)
    #expect(
      outcome.text.contains("has format 9; this version reads 1. Resume with the version that wrote it."),
      "\(outcome.text)")
  }
}
