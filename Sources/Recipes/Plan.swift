import Continual
import Evaluation
import Foundation
import NN
import Streams

/// What a run will take, estimated before it starts.
public struct Plan: Sendable, Encodable {
  public struct Row: Sendable, Codable {
    public var experience: String
    public var examples: Int
    public var tokens: Int
    public var updates: Int
  }
  public let rows: [Row]
  public let parameters: Int
  public let trainableParameters: Int
  /// Weights, moments, gradients and the activations of one update.
  public let memoryBytes: Int
  /// Three checkpoints (two are kept while the next is written), the exported model, and those that are kept.
  public let diskBytes: Int
  /// Examples that all evaluations score together.
  public let evaluations: Int

  /// - Parameters:
  ///   - session: what would run.
  ///   - prepares: whether adapters are made first, so that they count too; the session cannot train afterwards.
  public init(_ session: Session, prepares: Bool = false) throws {
    let learner = session.trainer.learner, settings = session.recipe.training
    var plans: [Row] = []
    var trained = Set<String>()
    let count = learner.stream.count
    for experience in learner.stream.experiences {
      if prepares {
        learner.begin(experience)
        for method in session.trainer.methods { try method.prepare(experience, learner: learner) }
      }
      let data = learner.data(of: experience)
      var plan = TrainingPlan(examples: data.train, epochs: settings.epochs)
      plan = session.trainer.methods.reduce(plan) { plan, method in
        (try? method.plan(plan, for: experience, learner: learner)) ?? plan
      }
      for parameter in learner.parameters.all where plan.isTrained(parameter) { trained.insert(parameter.name) }
      let rowsPerUpdate = settings.batchSize * settings.accumulation
      let perEpoch = (plan.examples.count + rowsPerUpdate - 1) / rowsPerUpdate
      let updates = settings.maxUpdates > 0 ? min(settings.maxUpdates, perEpoch * plan.epochs) : perEpoch * plan.epochs
      // Where updates are limited, as many of the tokens as of the updates.
      let share = perEpoch > 0 ? Double(updates) / Double(perEpoch) : 0
      let tokens = Int((Double(plan.examples.reduce(0) { $0 + $1.tokens.count }) * share).rounded())
      plans.append(Row(experience: experience.name, examples: plan.examples.count, tokens: tokens, updates: updates))
    }
    rows = plans
    let tests = learner.stream.experiences.map { learner.data(of: $0).test.count }
    let abilities = session.trainer.abilities.reduce(0) { $0 + $1.examples.count } * (count + 1)
    evaluations =
      abilities
      + (session.recipe.evaluation.future
        ? tests.reduce(0, +) * (count + 1)
        : tests.indices.reduce(0) { $0 + tests[...$1].reduce(0, +) })
    parameters = learner.parameters.all.reduce(0) { $0 + $1.count }
    trainableParameters = learner.parameters.all.filter { trained.contains($0.name) }.reduce(0) { $0 + $1.count }
    let valueBytes = settings.precision == .bf16 ? 2 : 4
    let width = learner.parameters.linears.map { $0.outputs + $0.inputs }.reduce(0, +)
    let activations = settings.batchSize * settings.maxTokens * width * valueBytes * 2
    // Frozen weights are held once, as they are computed with; trained ones have float32 masters, moments and a gradient.
    let masterBytes = settings.precision == .bf16 ? 4 : 0
    let training = trainableParameters * (masterBytes + 8 + valueBytes)
    memoryBytes = parameters * valueBytes + training + activations + 300_000_000
    let models = settings.keepModels ? count + 1 : 1
    diskBytes = 3 * trainableParameters * 12 + models * parameters * 4
  }

  static func size(_ bytes: Int) -> String {
    let value = Double(bytes)
    return value >= 1e9 ? String(format: "%.1f GB", value / 1e9) : String(format: "%.0f MB", value / 1e6)
  }

  /// A table for people.
  public var text: String {
    let numbers = rows.map { [$0.examples, $0.tokens, $0.updates] }
    let total = numbers.reduce([0, 0, 0]) { zip($0, $1).map(+) }
    let table =
      [["experience", "examples", "tokens", "updates"]]
      + zip(rows, numbers).map { [$0.experience] + $1.map(String.init) }
      + [["total"] + total.map(String.init)]
    var lines = [Output.table(table)]
    lines.append("")
    lines.append("parameters  \(parameters), of which \(trainableParameters) train")
    lines.append("evaluation  \(evaluations) examples scored over the run")
    lines.append("memory      about \(Self.size(memoryBytes))")
    lines.append("disk        about \(Self.size(diskBytes))")
    return lines.joined(separator: "\n")
  }
}
