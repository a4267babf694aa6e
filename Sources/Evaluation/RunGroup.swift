/// Runs of one method on one stream that differ only in seed and learning rate.
///
/// What is quoted are finished runs: of runs that have come less far than others of the group, and of learning rates that
/// were tried on fewer seeds, nothing is.
public struct RunGroup: Sendable, Identifiable {
  /// Label of the method, with model, stream and other settings where the groups differ in them.
  public let id: String
  /// All runs, of every learning rate.
  public let allRuns: [RunRecord]
  /// The learning rate that is quoted, nil when the runs name none.
  public let learningRate: Double?
  /// How `learningRate` was chosen.
  public let choice: RateChoice
  /// The runs at that rate, one of each seed, by seed.
  public let runs: [RunRecord]
  /// Runs at that rate of a seed that another one has: they say nothing new, so they are not quoted.
  public let repeated: [RunRecord]

  /// How a group's learning rate was chosen.
  public enum RateChoice: String, Codable, Sendable {
    /// There was one rate.
    case single
    /// Best mean final accuracy on the validation data.
    case validation
    /// Best mean final accuracy on the test data, for want of validation: flatters the method.
    case test
  }

  init(id: String, runs all: [RunRecord]) {
    self.id = id
    allRuns = all
    let rows = all.map(\.matrix.rows.count).max() ?? 0
    let whole = Dictionary(grouping: all.filter { $0.matrix.rows.count == rows }, by: \.learningRate)
    let seeds = whole.mapValues { Set($0.map(\.seed)).count }, most = seeds.values.max() ?? 0
    let byRate = whole.filter { seeds[$0.key] == most }
    let hasValidation = all.allSatisfy { $0.validation.flatMap { Metric.finalAccuracy.compute($0) } != nil }
    choice = whole.count == 1 ? .single : hasValidation ? .validation : .test
    let score = { (runs: [RunRecord]) in
      runs.compactMap { Metric.finalAccuracy.compute(hasValidation ? $0.validation ?? $0.matrix : $0.matrix) }.mean
    }
    // Of equal scores the smaller rate wins, so that the choice does not depend on the order of the runs.
    let ranked = byRate.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.map { (rate: $0.key, score: score($0.value) ?? -1) }
    let best = ranked.reduce(ranked.first) { best, next in next.score > (best?.score ?? -1) ? next : best }
    learningRate = best?.rate
    let bySeed = Dictionary(grouping: byRate[learningRate] ?? [], by: \.seed).sorted { $0.key < $1.key }.map(\.value)
    runs = bySeed.map { $0[0] }
    repeated = bySeed.flatMap { $0.dropFirst() }
  }

  /// Groups in the order in which their first run appears.
  public static func groups(of runs: [RunRecord]) -> [RunGroup] {
    let differs = (model: Set(runs.map(\.model)).count > 1, stream: Set(runs.map(\.stream)).count > 1)
    var order: [Key] = []
    var members: [Key: [RunRecord]] = [:]
    for run in runs {
      let extras = (differs.model ? [run.model] : []) + (differs.stream ? [run.stream] : [])
      let key = Key(
        label: ([run.label] + extras).joined(separator: " · "), experiences: run.matrix.experiences,
        settings: run.settings)
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(run)
    }
    var known = Set<String>()
    return order.map { key in
      let twins = order.filter { $0.label == key.label }
      let own = key.settings.filter { setting in twins.contains { !$0.settings.contains(setting) } }
      let label = ([key.label] + (own.isEmpty ? [] : [own.joined(separator: ", ")])).joined(separator: " · ")
      // Equal labels remain only where the experiences come in another order.
      let ids = [label] + (2...order.count + 1).map { "\(label) · order \($0)" }
      let id = ids.first { !known.contains($0) } ?? label
      known.insert(id)
      return RunGroup(id: id, runs: members[key] ?? [])
    }
  }

  /// Cell-wise mean accuracy of the quoted runs.
  public var meanMatrix: AccuracyMatrix { AccuracyMatrix.mean(of: runs.map(\.matrix)) }

  /// A metric over the quoted runs, nil where none defines it.
  public func summary(_ metric: Metric) -> Summary? { Summary(runs.compactMap { $0.metrics[metric.id] }) }

  /// Cell-wise mean loss of the quoted runs; nil where they have none.
  public var meanLoss: AccuracyMatrix? {
    let losses = runs.compactMap(\.loss)
    return losses.count == runs.count && !losses.isEmpty ? AccuracyMatrix.mean(of: losses) : nil
  }

  /// Mean final loss over experiences, in nats a token.
  public var finalLoss: Summary? { Summary(runs.compactMap { $0.loss.flatMap { Metric.finalAccuracy.compute($0) } }) }

  /// Mean rise of the loss of earlier experiences from just after their training to the end: forgetting, in nats a token.
  public var lossRise: Summary? { Summary(runs.compactMap { $0.loss.flatMap { Metric.backwardTransfer.compute($0) } }) }

  /// Of the quoted runs, a value of their abilities; nil where they have none.
  public func abilities(_ value: (AbilityScores) -> Double?) -> Summary? {
    Summary(runs.compactMap { $0.abilities.flatMap(value) })
  }

  /// Model, stream and experiences: across these accuracies say nothing about methods.
  public var place: [String] { (runs.first.map { [$0.model, $0.stream] + $0.matrix.experiences }) ?? [] }

  /// The first of the groups of the same place, which this one is compared with; nil where that is itself.
  public func baseline(among groups: [RunGroup]) -> RunGroup? {
    groups.first { $0.place == place }.flatMap { $0.id == id ? nil : $0 }
  }

  /// A metric against another group, over the seeds that both have; nil when they share none.
  public func comparison(with other: RunGroup, on metric: Metric) -> PairedComparison? {
    let mine = bySeed(metric), theirs = other.bySeed(metric)
    let seeds = mine.keys.filter { theirs[$0] != nil }.sorted()
    return PairedComparison(seeds.compactMap { theirs[$0] }, seeds.compactMap { mine[$0] })
  }

  private func bySeed(_ metric: Metric) -> [Int: Double] {
    runs.reduce(into: [:]) { $0[$1.seed] = $1.metrics[metric.id] }
  }

  private struct Key: Hashable {
    let label: String
    let experiences: [String]
    let settings: [String]
  }
}
