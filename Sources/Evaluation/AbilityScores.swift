/// What a model can do besides the experiences it learns: before any training, and after each experience.
public struct AbilityScores: Codable, Sendable, Equatable {
  /// One ability.
  public struct Ability: Codable, Sendable, Equatable {
    public let name: String
    /// How it is measured, as a recipe names it.
    public let measure: String
    /// How many examples it is measured on.
    public let examples: Int

    public init(name: String, measure: String, examples: Int) {
      (self.name, self.measure, self.examples) = (name, measure, examples)
    }
  }

  /// One measurement.
  public struct Score: Codable, Sendable, Equatable {
    /// In percent; nil where the loss is what counts.
    public var percent: Double?
    /// Nats a token; nil where answers are chosen or written.
    public var loss: Double?

    public init(percent: Double? = nil, loss: Double? = nil) { (self.percent, self.loss) = (percent, loss) }
  }

  public let abilities: [Ability]
  /// Before any training, one an ability; empty until it is measured.
  public private(set) var before: [Score] = []
  /// After each experience; a row is empty where nothing was measured.
  public private(set) var rows: [[Score]] = []

  public init(_ abilities: [Ability]) { self.abilities = abilities }

  /// Sets the scores before any training.
  public mutating func begin(with scores: [Score]) {
    check(scores)
    before = scores
  }

  /// Adds the scores after the next experience; none where nothing was measured.
  public mutating func append(row: [Score]) {
    if !row.isEmpty { check(row) }
    rows.append(row)
  }

  private func check(_ scores: [Score]) {
    precondition(
      scores.count == abilities.count, "AbilityScores: \(scores.count) scores for \(abilities.count) abilities")
  }

  /// The scores after an experience; empty where nothing was measured.
  public func row(_ experience: Int) -> [Score] { rows.indices.contains(experience) ? rows[experience] : [] }

  /// The last row that was measured, that before training excepted.
  public var last: [Score]? { rows.last { !$0.isEmpty } }

  /// Mean of a value over the abilities that have it; nil where none has.
  public static func mean(_ scores: [Score], _ value: (Score) -> Double?) -> Double? { scores.compactMap(value).mean }

  /// Mean over abilities in percent at the end.
  public var finalMean: Double? { last.flatMap { Self.mean($0, \.percent) } }
  /// How much more than before any training that is; negative where abilities were lost.
  public var change: Double? { difference(\.percent) }
  /// Mean loss over abilities at the end, in nats a token.
  public var finalLoss: Double? { last.flatMap { Self.mean($0, \.loss) } }
  /// How much more than before any training that is; positive where abilities were lost.
  public var lossChange: Double? { difference(\.loss) }

  private func difference(_ value: (Score) -> Double?) -> Double? {
    guard let last, let end = Self.mean(last, value), let start = Self.mean(before, value) else { return nil }
    return end - start
  }
}
