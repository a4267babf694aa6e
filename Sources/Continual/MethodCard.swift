public import Evaluation

/// What a method is, where it comes from, and what it needs: shown by `jay show`, checked before a run.
public struct MethodCard: Sendable {
  /// The name in recipes, kebab-case.
  public let name: String
  /// One line for a list.
  public let summary: String
  public let family: Family
  public let paper: Citation
  public let requires: Requirements
  /// What it keeps between experiences, in words.
  public let keeps: String
  /// Whether it trains the heads and what it adds to the model only: two such methods would freeze each other.
  public let freezesModel: Bool

  public init(
    name: String, summary: String, family: Family, paper: Citation, requires: Requirements = [],
    keeps: String = "nothing", freezesModel: Bool = false
  ) {
    (self.name, self.summary, self.family) = (name, summary, family)
    (self.paper, self.requires, self.keeps) = (paper, requires, keeps)
    self.freezesModel = freezesModel
  }

  /// The five families of Wang et al. 2024 (arXiv 2302.00487), and the references to compare with.
  public enum Family: String, Sendable, CaseIterable {
    case reference, regularization, replay, optimization, representation, architecture
  }

  /// What must be true of a stream for the method to run on it.
  public struct Requirements: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// Chooses a module or head by the task label when it predicts.
    public static let taskLabelAtTest = Requirements(rawValue: 1)
    /// Is told where one experience ends and the next begins.
    public static let boundaries = Requirements(rawValue: 2)
    /// Looks at the data of all experiences seen so far.
    public static let pastData = Requirements(rawValue: 4)
    /// Works on classification heads.
    public static let heads = Requirements(rawValue: 8)
    /// Works on an encoder that reads and a decoder that writes.
    public static let encoderDecoder = Requirements(rawValue: 16)
  }
}
