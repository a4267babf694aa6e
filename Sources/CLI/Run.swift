import ArgumentParser
import Foundation
import Recipes

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the stream of a recipe and write matrices, metrics, report and model.",
    discussion: """
      EXAMPLES
        jay run Recipes/meadow-migu.yaml
        jay run Recipes/meadow-migu.yaml --set training.learningRate=3e-5 --seeds 0,1,2
        jay run --resume --out runs/meadow-migu
        jay run Recipes/meadow-migu.yaml --processes 2
      """)

  @Argument(help: "A recipe file; with --resume it may be left out.")
  var recipe: String?

  @Option(name: .customLong("set"), help: "Override a key, such as training.epochs=2. Repeatable.")
  var overrides: [String] = []

  @Option(help: "Run folder. Default: runs/<recipe's name>.")
  var out: String?

  @Option(help: "Several seeds, such as 0,1,2: one run folder each, below the run folder.")
  var seeds: String?

  @Flag(help: "Go on with an interrupted run.")
  var resume = false

  @Flag(help: "With --resume: go on although training settings such as the learning rate changed.")
  var allowChangedTraining = false

  @OptionGroup var hub: HubOptions

  @Flag(help: "Say nothing while training.")
  var quiet = false

  @Option(help: "Threads of each process. Default: all cores, divided among the processes.")
  var threads: Int?

  @Option(help: "Processes on this machine that share every batch; torchrun can start them too.")
  var processes = 1

  func validate() throws {
    guard processes >= 1 else { throw ValidationError("--processes takes a whole number from 1") }
  }

  func run() throws {
    Interrupt.install()
    try Followers.together(processes, threads: threads, environment: Here.environment) { processes in
      var runner = Runner(places: hub.places)
      runner.processes = processes
      try train(&runner)
    }
  }

  private func train(_ runner: inout Runner) throws {
    runner.isQuiet = quiet
    runner.allowsChangedTraining = allowChangedTraining
    let folder = try self.folder()
    for (target, overrides) in try targets(folder) {
      let file = recipe.map { URL(fileURLWithPath: $0) } ?? target.appendingPathComponent("recipe.yaml")
      let directory = RunDirectory(target)
      if self.recipe == nil, !directory.exists { throw RunError.nothingToResume(target) }
      let recipe = try Recipe(file: file, overrides: overrides)
      if resume, directory.isComplete { continue }
      try runner.run(
        recipe, in: target, start: resume && directory.exists ? .resume : .new,
        name: seeds == nil ? "" : target.lastPathComponent)
      if runner.writes { print(try Outcome.text(target)) }
    }
  }

  private func folder() throws -> URL {
    if let out { return URL(fileURLWithPath: out) }
    guard let recipe else {
      throw ValidationError("Name a recipe, or the folder of a run to resume: jay run --resume --out DIR")
    }
    return URL(fileURLWithPath: "runs").appendingPathComponent(
      URL(fileURLWithPath: recipe).deletingPathExtension().lastPathComponent)
  }

  private func targets(_ folder: URL) throws -> [(URL, [String])] {
    guard let seeds else { return [(folder, overrides)] }
    return try seeds.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let seed = Int(text) else {
        throw ValidationError("--seeds takes whole numbers, such as 0,1,2; found '\(text)'")
      }
      return (folder.appendingPathComponent("seed-\(seed)"), overrides + ["seed=\(seed)"])
    }
  }
}
