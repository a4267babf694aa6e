import Evaluation
import Foundation
import Testing
import Torch

/// Killed at any moment, also inside a save, a run that is resumed ends with the same bits.
@Suite(.serialized, .timeLimit(.minutes(4))) struct KillTests {
  struct Case: Sendable { let methods: String, training: String, kills: Int }

  static let cases = [
    Case(methods: "[migu]", training: "precision: fp32", kills: 8),
    Case(methods: "[er, migu]", training: "precision: bf16", kills: 3),
    Case(methods: "[ewc, o-lora]", training: "precision: bf16, optimizer: sgd, momentum: 0.9", kills: 3),
  ]

  @Test(arguments: cases) func `a killed run ends as one that was not`(_ test: Case) throws {
    let workshop = try Workshop(methods: test.methods, training: test.training)
    let began = ContinuousClock.now
    let outcome = try workshop.run("recipe.yaml", "--out", "whole")
    try #require(outcome.status == 0, "\(outcome.text)")
    let milliseconds = UInt64(began.duration(to: .now) / .milliseconds(1))
    let whole = try workshop.result("whole")
    #expect(whole.steps.map(\.step) == [3, 6, 9, 10, 13, 16, 19, 20, 23, 26, 29, 30])

    var generator = Generator(seed: 7)
    var kills = 0, insideSaves = 0, folder = 0
    while kills < test.kills {
      let out = "killed-\(folder)"
      while kills < test.kills {
        let process = try workshop.start("recipe.yaml", "--out", out, "--resume")
        // Every other one dies at a moment inside a save, the others anywhere, the start included.
        if kills % 2 == 0 {
          try waitForSave(process, workshop, out, number: Int(generator.next() % 4))
          usleep(UInt32(generator.next() % 3000))
        } else {
          usleep(UInt32(1000 * (generator.next() % milliseconds) + generator.next() % 1000))
        }
        let isRunning = process.isRunning
        process.send(SIGKILL)
        _ = try process.wait()
        guard isRunning else { break }
        kills += 1
        if workshop.names("\(out)/checkpoints").contains(where: { $0.hasPrefix(".") }) { insideSaves += 1 }
      }
      let outcome = try workshop.run("recipe.yaml", "--out", out, "--resume")
      try #require(outcome.status == 0, "\(outcome.text)")
      let resumed = try workshop.result(out)
      #expect(resumed.matrix == whole.matrix)
      #expect(resumed.files == whole.files)
      #expect(resumed.steps == whole.steps)
      #expect(workshop.names("\(out)/checkpoints").count == 2, "two checkpoints and no leftovers")
      #expect(!workshop.names(out).contains { $0.hasSuffix(".tmp") })
      folder += 1
    }
    #expect(insideSaves > 0, "no kill hit a save")
  }

  /// Waits until the save after `number` others is under way, or the process has ended.
  private func waitForSave(_ process: Jay.Running, _ workshop: Workshop, _ out: String, number: Int) throws {
    var seen = Set<String>()
    while process.isRunning {
      for name in workshop.names("\(out)/checkpoints") where name.hasPrefix(".") && !name.contains(".old.") {
        seen.insert(name)
      }
      if seen.count > number { return }
      usleep(100)
    }
  }

  @Test func `a second kill in a row changes nothing`() throws {
    let workshop = try Workshop()
    try workshop.run("recipe.yaml", "--out", "whole")
    try workshop.killedRun("killed")
    // Before it has done anything.
    for _ in 0..<2 {
      let process = try workshop.start("--resume", "--out", "killed")
      usleep(1000)
      process.send(SIGKILL)
      _ = try process.wait()
    }
    let outcome = try workshop.run("--resume", "--out", "killed")
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(try workshop.result("killed") == workshop.result("whole"))
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func `a signal saves, says how to go on, and the rest ends the same`(_ signal: Int32) throws {
    let workshop = try Workshop()
    try workshop.run("recipe.yaml", "--out", "whole")
    let process = try workshop.start("recipe.yaml", "--out", "stopped")
    while process.isRunning, workshop.names("stopped/checkpoints").isEmpty { usleep(500) }
    process.send(signal)
    let outcome = try process.wait()
    #expect(outcome.status != 0)
    #expect(outcome.text.contains("stopping after this update, to save; once more to stop at once"))
    #expect(
      outcome.text.contains(
        "interrupted; everything so far is saved. Go on with: jay run --resume --out stopped\n"), "\(outcome.text)")
    // What there is so far can be read.
    #expect(workshop.exists("stopped/matrix.json") && workshop.exists("stopped/report.html"))
    let resumed = try workshop.run("--resume", "--out", "stopped")
    #expect(resumed.status == 0 && resumed.text.contains("resumed at experience "), "\(resumed.text)")
    #expect(try workshop.result("stopped") == workshop.result("whole"))
  }

  @Test func `a closed pipe does not end a run`() throws {
    let workshop = try Workshop()
    let shell = try Jay.Running(
      URL(fileURLWithPath: "/bin/sh"),
      ["-c", "{ '\(Jay.binary.path)' run recipe.yaml --out run --threads 1; echo $? > status; } 2>&1 | true"],
      in: workshop.url)
    _ = try shell.wait()
    while !workshop.exists("status") { usleep(1000) }
    #expect(try String(decoding: workshop.data("status"), as: UTF8.self) == "0\n")
    #expect(workshop.exists("run/matrix.json"))
  }
}
