/// All that a report or a comparison needs to know of one run.
public struct RunRecord: Codable, Sendable, Equatable, Identifiable {
  /// Name of the run directory, unique among the runs of a report.
  public var id: String
  /// Methods in the order they compose; none means plain fine-tuning.
  public var methods: [String]
  /// What tells this run from others of the same methods (another strength, another buffer); empty when nothing.
  public var variant = ""
  /// Its other settings that are not the usual ones (epochs, lengths, caps), but for those that the runs of one recipe
  /// differ in; runs are summed up only with those that have the same.
  public var settings: [String] = []
  /// Peak learning rate; runs that differ only in it form a frontier.
  public var learningRate: Double?
  /// Seed of the recipe.
  public var seed: Int

  /// Name of the task stream.
  public var stream: String
  /// Scenario, such as "domain-incremental, no task label at test".
  public var scenario = ""
  /// Name of the model.
  public var model = ""
  /// The fully resolved recipe, as YAML.
  public var recipe = ""
  /// The command line that repeats the run.
  public var command = ""
  /// Versions, device, threads, commit: what the numbers depend on besides the recipe.
  public var environment: [String: String] = [:]

  /// Test accuracy.
  ///
  /// Setting it computes `metrics` again.
  public var matrix: AccuracyMatrix { didSet { metrics = Metric.values(of: matrix, references: references) } }
  /// Test macro-F1.
  public var macroF1: AccuracyMatrix?
  /// Validation accuracy; by it, and not by the test set, a learning rate is chosen.
  public var validation: AccuracyMatrix?
  /// Test loss in nats a token, where a language model is pretrained.
  public var loss: AccuracyMatrix?
  /// Abilities before and after, where they are measured.
  public var abilities: AbilityScores?
  /// Scores of reference models.
  ///
  /// Setting them computes `metrics` again.
  public var references = Metric.References() {
    didSet { metrics = Metric.values(of: matrix, references: references) }
  }
  /// Value of every defined metric on `matrix`, by id.
  ///
  /// Decoding keeps the stored values.
  public private(set) var metrics: [String: Double]

  /// Training log, in order of steps.
  public var steps: [StepRecord] = []
  /// Time of each experience.
  public var timings: [ExperienceTiming] = []
  /// Number of parameters that train.
  public var trainableParameters: Int?
  /// Number of parameters in all.
  public var totalParameters: Int?
  /// Seconds of the whole run, evaluation included.
  public var wallSeconds: Double?
  /// The most memory that the run held: of its accelerator, otherwise of the machine.
  public var peakBytes: Int?
  /// Bytes the method keeps between experiences: buffers, importances, adapters, old models.
  public var bytesStored: Int?

  /// A run's identity and its accuracies; the rest is set afterwards.
  public init(id: String, methods: [String], seed: Int, stream: String, matrix: AccuracyMatrix) {
    self.id = id
    self.methods = methods
    self.seed = seed
    self.stream = stream
    self.matrix = matrix
    metrics = Metric.values(of: matrix)
  }

  /// Methods and variant as tables show them, for example "migu + replay (buffer 500)".
  public var label: String {
    let names = methods.isEmpty ? "fine-tuning" : methods.joined(separator: " + ")
    return variant.isEmpty ? names : "\(names) (\(variant))"
  }
}
