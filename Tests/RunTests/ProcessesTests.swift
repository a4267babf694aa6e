import Evaluation
import Foundation
import Testing
import Torch

/// Runs in several processes, driven as a user drives them.
@Suite(.serialized, .enabled(if: Processes.isSupported), .timeLimit(.minutes(4))) struct ProcessesTests {
  @Test func `a process that dies ends the run, which goes on from there`() throws {
    let workshop = try Workshop()
    let whole = try workshop.run("recipe.yaml", "--out", "whole", "--processes", "2")
    try #require(whole.status == 0, "\(whole.text)")
    #expect(try workshop.result("whole").steps.map(\.step) == [3, 6, 9, 10, 13, 16, 19, 20, 23, 26, 29, 30])

    let first = try workshop.start("recipe.yaml", "--out", "lost", "--processes", "2")
    while first.isRunning, !workshop.exists("lost/checkpoints/0000-00000002") { usleep(500) }
    for child in first.children { kill(child, SIGKILL) }
    let outcome = try first.wait()
    #expect(outcome.status == 1)
    #expect(outcome.text.contains("a process of the run was ended by signal 9"), "\(outcome.text)")
    #expect(outcome.text.contains("process 0 of 2 lost another one: "), "\(outcome.text)")

    let resumed = try workshop.run("--resume", "--out", "lost", "--processes", "2")
    #expect(resumed.status == 0 && resumed.text.contains("resumed at experience 1"), "\(resumed.text)")
    #expect(try workshop.result("lost") == workshop.result("whole"))
  }

  @Test func `a signal to the first process stops and saves the run`() throws {
    let workshop = try Workshop()
    let process = try workshop.start("recipe.yaml", "--out", "stopped", "--processes", "2")
    while process.isRunning, workshop.names("stopped/checkpoints").isEmpty { usleep(500) }
    process.send(SIGTERM)
    let outcome = try process.wait()
    #expect(outcome.text.contains("interrupted; everything so far is saved."), "\(outcome.text)")
    #expect(!outcome.text.contains("lost another"), "\(outcome.text)")
    // One process may go on where two stopped.
    let resumed = try workshop.run("--resume", "--out", "stopped")
    #expect(resumed.status == 0, "\(resumed.text)")
  }

  @Test func `what another process fails with is said`() throws {
    let workshop = try Workshop()
    let outcome = try workshop.run("recipe.yaml", "--out", "none", "--processes", "2", "--set", "training.epoch=2")
    #expect(outcome.status == 1 && outcome.text.contains("Did you mean 'epochs'"), "\(outcome.text)")
    let wrong = try workshop.run("recipe.yaml", "--processes", "0")
    #expect(wrong.text.contains("--processes takes a whole number from 1"), "\(wrong.text)")
  }
}
