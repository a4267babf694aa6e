import Foundation
import Testing

/// What is wrong outside the program ends it with a sentence that says what, where and what to do.
@Suite(.timeLimit(.minutes(4))) struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var arguments: [String] = []
    /// Everything that the message must say.
    let says: [String]
    var spoil: @Sendable (Workshop) throws -> Void = { _ in }
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "no recipe", arguments: ["none.yaml"], says: ["there is no recipe at ", "none.yaml", "the folder Recipes"]),
    Case(
      name: "unknown key", arguments: ["--set", "training.epoch=2"], says: ["training.epoch", "Did you mean 'epochs'"]),
    Case(
      name: "unknown method", arguments: ["--set", "methods=[migo]"],
      says: ["unknown method 'migo'", "migu", "jay list methods"]),
    Case(
      name: "wrong type", arguments: ["--set", "training.epochs=many"],
      says: ["training.epochs", "many", "whole number"]),
    Case(
      name: "value out of range", arguments: ["--set", "training.learningRate=-1"],
      says: ["training.learningRate", "-1"]),
    Case(
      name: "no such model", arguments: ["--set", "model.name=none"], says: ["there is no model 'none'", "JAY_MODELS"]),
    Case(
      name: "no such device", arguments: ["--set", "device=cuda:7"],
      says: ["there is no device 'cuda:7' here", "device: cpu"]),
    Case(
      name: "nothing that records", arguments: ["--set", "training.recordsUpdates=true"],
      says: ["training.recordsUpdates: no update can stand for another here", "the device cpu", "Leave the key out"]),
    Case(
      name: "what cannot be recorded",
      arguments: ["--set", "training.recordsUpdates=true", "--set", "training.optimizer=sgd"],
      says: ["training.recordsUpdates", "the optimizer adamw or adam"]),
    Case(
      name: "impossible combination",
      arguments: ["--set", "methods=[per-task]", "--set", "stream.taskLabelAtTest=false"],
      says: ["'per-task' must be told the task", "taskLabelAtTest: true"]),
    Case(
      name: "lazy without AdamW",
      arguments: ["--set", "methods=[{migu: {lazy: true}}]", "--set", "training.optimizer=sgd"],
      says: ["'migu' with lazy", "'sgd' cannot", "training.optimizer: adamw"]),
    Case(name: "method twice", arguments: ["--set", "methods=[migu, migu]"], says: ["'migu' is listed twice"]),
    Case(
      name: "a line that is not JSON", says: ["one-train.jsonl:3", "JSON"],
      spoil: { try $0.edit("stream/one-train.jsonl") { replacing(line: 3, of: $0, by: "{oops") } }),
    Case(
      name: "a missing field", says: ["one-train.jsonl:3", "\"label\""],
      spoil: { try $0.edit("stream/one-train.jsonl") { replacing(line: 3, of: $0, by: #"{"text": "a"}"#) } }),
    Case(
      name: "an unknown label", says: ["two-test.jsonl:2", "maybe"],
      spoil: {
        try $0.edit("stream/two-test.jsonl") { replacing(line: 2, of: $0, by: #"{"text": "a", "label": "maybe"}"#) }
      }),
    Case(
      name: "an empty split", says: ["three-test.jsonl"], spoil: { try $0.write("", to: "stream/three-test.jsonl") }),
    Case(name: "no stream.json", says: ["stream/stream.json"], spoil: { try remove("stream/stream.json", $0) }),
    Case(
      name: "no tokenizer", says: ["model", "tokenizer.json", "vocab.txt"],
      spoil: {
        try remove("model/tokenizer.json", $0); try remove("model/vocab.txt", $0)
      }),
    Case(name: "no weights", says: ["model.safetensors"], spoil: { try remove("model/model.safetensors", $0) }),
    Case(
      name: "truncated weights", says: ["model.safetensors"],
      spoil: { try $0.data("model/model.safetensors").dropLast(1000).write(to: $0.url["model/model.safetensors"]) }),
    Case(
      name: "a corrupt header", says: ["model.safetensors"],
      spoil: {
        var data = try $0.data("model/model.safetensors")
        data.replaceSubrange(8..<20, with: Data("{{{{{{{{{{{{".utf8))
        try data.write(to: $0.url["model/model.safetensors"])
      }),
    Case(
      name: "a header longer than the file", says: ["model.safetensors"],
      spoil: {
        try (Data(repeating: 0xFF, count: 7) + Data([0x7F]) + Data("{}".utf8)).write(
          to: $0.url["model/model.safetensors"])
      }),
    Case(name: "broken config.json", says: ["config.json"], spoil: { try $0.write("{", to: "model/config.json") }),
  ]

  @Test(arguments: cases) func `bad input is named with the way out`(_ test: Case) throws {
    let workshop = try Workshop()
    try test.spoil(workshop)
    let recipe = test.arguments.first?.hasSuffix(".yaml") == true ? [] : ["recipe.yaml"]
    let outcome = try Jay.start(["run"] + recipe + test.arguments + ["--out", "run"], in: workshop.url).wait()
    #expect(outcome.status != 0 && outcome.status < 128, "status \(outcome.status)")
    for part in test.says { #expect(outcome.text.contains(part), "lacks '\(part)': \(outcome.text)") }
    // A message, not a crash; and the same command works once the mistake is mended.
    #expect(outcome.text.hasPrefix("Error: ") && !outcome.text.contains("Fatal error"), "\(outcome.text)")
    #expect(!workshop.exists("run/recipe.yaml"))
  }

  @Test func `nothing to resume is said`() throws {
    let outcome = try Workshop().run("--resume", "--out", "none")
    #expect(outcome.status != 0)
    #expect(
      outcome.text.contains("there is no run to resume in ")
        && outcome.text.contains("Leave out --resume, or check --out."),
      "\(outcome.text)")
  }

  @Test func `a loss that is not finite names items and update, and the state before it is saved`() throws {
    let workshop = try Workshop()
    let outcome = try workshop.run(
      "recipe.yaml", "--out", "run", "--set", "training.optimizer=sgd", "--set", "training.learningRate=1e36",
      "--set", "training.clipNorm=0")
    #expect(outcome.status != 0)
    for part in ["the loss is nan at update ", " of experience 'one' (items one-train:", "--allow-changed-training"] {
      #expect(outcome.text.contains(part), "lacks '\(part)': \(outcome.text)")
    }
    let update = try #require(outcome.text.firstMatch(of: /at update (\d+)/)).1
    let checkpoint = String(repeating: "0", count: 8 - update.count) + update
    #expect(workshop.exists("run/checkpoints/0000-\(checkpoint)"))
  }

  private static func replacing(line: Int, of text: String, by new: String) -> String {
    var lines = text.components(separatedBy: "\n")
    lines[line - 1] = new
    return lines.joined(separator: "\n")
  }

  private static func remove(_ path: String, _ workshop: Workshop) throws {
    try FileManager.default.removeItem(at: workshop.url[path])
  }
}
