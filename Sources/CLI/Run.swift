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
    try ThreadOptions.check(threads)
    _ = try folder()
    let seeds = try parsedSeeds() ?? []
    guard Set(seeds).count == seeds.count else { throw ValidationError("--seeds names a seed twice") }
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
    let jobs = try self.jobs()
    if jobs.count > 1 { runner.resumeCommand = CommandLine.again(resume ? [] : ["--resume"]) }
    for (directory, recipe) in jobs {
      try runner.run(
        recipe, in: directory.url, start: resume && directory.exists ? .resume : .new,
        name: jobs.count == 1 ? "" : directory.url.lastPathComponent)
      if runner.writes { print(try Outcome.text(directory.url)) }
    }
  }

  /// What is to be run, all read before the first begins.
  private func jobs() throws -> [(directory: RunDirectory, recipe: Recipe)] {
    let folder = try self.folder()
    let begun = resume ? RunDirectory(folder).seeds : []
    var targets = [(RunDirectory(folder), overrides)]
    if let seeds = try parsedSeeds() {
      targets = seeds.map { (RunDirectory(folder.appendingPathComponent("seed-\($0)")), overrides + ["seed=\($0)"]) }
    } else if !begun.isEmpty {
      targets = begun.map { ($0.run, overrides + ["seed=\($0.seed)"]) }
    }
    return try targets.map { directory, overrides in
      if recipe == nil, !directory.exists { throw RunError.nothingToResume(directory.url) }
      let file = recipe.map { URL(fileURLWithPath: $0) } ?? directory.recipe
      return (directory, try Recipe(file: file, overrides: overrides))
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

  private func parsedSeeds() throws -> [Int]? {
    try seeds?.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let seed = Int(text), seed >= 0 else {
        throw ValidationError("--seeds takes whole numbers from 0, such as 0,1,2; found '\(text)'")
      }
      return seed
    }
  }
}
