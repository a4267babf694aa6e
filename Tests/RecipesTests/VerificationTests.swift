import Continual
import Evaluation
import Foundation
import Testing

@testable import Recipes

@Suite struct VerificationTests {
  @Test func aSoundRunPasses() throws {
    let run = try TinyRun()
    let verification = try Verification(run.folder)
    #expect(verification.isSound)
    #expect(
      verification.checks.map(\.what) == [
        "recipe.yaml", "environment.json", "log.jsonl", "matrix.json", "metrics.json", "summary.json",
        "report.html", "checkpoints/0001-00000000", "checkpoints/0002-00000000",
      ])
  }

  @Test func everyMismatchIsSaid() throws {
    let run = try TinyRun()
    try run.scratch.write("{\"acc\": 12.5}", to: "run/metrics.json")
    try run.scratch.write("stream: meadow\nsede: 1\n", to: "run/recipe.yaml")
    try run.scratch.write("x", to: "run/checkpoints/0002-00000000/weights.safetensors")
    try run.scratch.write("{}\nnot json\n", to: "run/log.jsonl")
    let verification = try Verification(run.folder)
    let problems = Dictionary(uniqueKeysWithValues: verification.checks.map { ($0.what, $0.problem) })
    #expect(!verification.isSound)
    #expect(problems["recipe.yaml"]??.contains("run/recipe.yaml:2:1: unknown key 'sede'") == true)
    #expect(problems["log.jsonl"] == "line 2 is not JSON")
    #expect(problems["metrics.json"]??.contains("acc says 12.5, the matrix gives ") == true)
    #expect(problems["checkpoints/0002-00000000"]??.contains("weights.safetensors does not match the manifest") == true)
    #expect(problems["matrix.json"] == .some(nil))
  }

  @Test func accuraciesThatDisagreeWithTheCheckpointAreSaid() throws {
    let run = try TinyRun()
    var matrices = try JSON.decode(RunDirectory.Matrices.self, from: run.directory.matrix)
    matrices.accuracy.append(experience: "other")
    try run.scratch.write(String(decoding: try JSON.encode(matrices), as: UTF8.self), to: "run/matrix.json")
    let problems = try Verification(run.folder).checks.compactMap(\.problem)
    #expect(
      problems == [
        "its matrices are not over the same experiences",
        "it says that the run is finished, but the matrix has 2 of 3 rows",
        "its accuracies are not those of matrix.json",
      ])
  }
}
