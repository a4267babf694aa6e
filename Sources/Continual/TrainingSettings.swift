public import NN
public import Streams

/// How every experience is trained.
public struct TrainingSettings: ConfigurationSection {
  public var objective = ObjectiveKind.task
  public var packing = Packing.stream
  public var maskShare = 0.15
  public var epochs = 1
  public var maxUpdates = 0
  public var shuffle = true
  public var batchSize = 8
  public var accumulation = 1
  public var maxTokens = 128
  public var turns = AssistantTurns.all
  public var optimizer = OptimizerKind.adamw
  public var learningRate = 1e-4
  public var schedule = Schedule.constant
  public var warmup = 0.0
  public var weightDecay = 0.0
  public var beta1 = 0.9
  public var beta2 = 0.999
  public var epsilon = 1e-8
  public var momentum = 0.0
  public var relativeStep = false
  public var scalesByParameter = false
  public var clipNorm = 1.0
  public var precision = Precision.bf16
  public var recordsUpdates = false
  public var logEvery = 10
  public var checkpointSeconds = 300.0
  public var checkpointSteps = 0
  public var keepModels = false

  public enum OptimizerKind: String, Codable, Sendable, CaseIterable { case adamw, adam, adafactor, sgd }
  public enum Precision: String, Codable, Sendable, CaseIterable { case bf16, fp32 }

  public init() {}

  public static let keys = [
    ConfigurationKey(
      "objective",
      "task (answer the examples), or pretrain on the texts: masked (encoders), causal (decoders), spans or prefix (T5)"
    ),
    ConfigurationKey(
      "packing", "pretraining rows: stream (cut anywhere), documents (whole, none sees another) or none (one each)"),
    ConfigurationKey("maskShare", "masked and spans: share of the tokens to predict", allowed: .range(0.01...0.9)),
    ConfigurationKey("epochs", "passes over the examples of an experience", allowed: .atLeast(0)),
    ConfigurationKey("maxUpdates", "most updates in an experience; 0 for no limit", allowed: .atLeast(0)),
    ConfigurationKey("shuffle", "draw a new order of the examples for each epoch"),
    ConfigurationKey("batchSize", "examples in one forward pass", allowed: .atLeast(1)),
    ConfigurationKey("accumulation", "forward passes in one update", allowed: .atLeast(1)),
    ConfigurationKey("maxTokens", "longest text, in tokens; the rest is cut", allowed: .atLeast(4)),
    ConfigurationKey("turns", "conversations: learn all answers of the assistant, or the last only"),
    ConfigurationKey(
      "optimizer",
      "adamw, adam (decay in the gradient), adafactor (the paper's with clipNorm: 0) or sgd; made anew for each experience"
    ),
    ConfigurationKey("learningRate", "peak learning rate", allowed: .positive),
    ConfigurationKey("schedule", "learning rate over an experience: constant, linear or cosine"),
    ConfigurationKey("warmup", "share of an experience's updates with a rising rate", allowed: .range(0...1)),
    ConfigurationKey(
      "weightDecay",
      "weight decay of matrices, apart from the gradient (adamw, adafactor) or in it (adam); sgd: in it, of all parameters",
      allowed: .atLeast(0)),
    ConfigurationKey("beta1", "AdamW's decay of the first moment", allowed: .halfOpenRange(0..<1)),
    ConfigurationKey("beta2", "AdamW's decay of the second moment", allowed: .halfOpenRange(0..<1)),
    ConfigurationKey("epsilon", "AdamW's denominator offset", allowed: .positive),
    ConfigurationKey("momentum", "SGD's momentum", allowed: .halfOpenRange(0..<1)),
    ConfigurationKey(
      "relativeStep", "Adafactor: the paper's rate, min(0.01, 1/√update), in place of learningRate and schedule"),
    ConfigurationKey("scalesByParameter", "Adafactor: multiply the rate by each parameter's root mean square"),
    ConfigurationKey("clipNorm", "largest gradient norm; 0 for no clipping", allowed: .atLeast(0)),
    ConfigurationKey("precision", "bf16 (bfloat16 compute, float32 master weights) or fp32"),
    ConfigurationKey(
      "recordsUpdates",
      "on a GPU: record an update for each form of batch and replay it (CUDA graphs), for models too small to keep the "
        + "device busy; rounds lengths up; adamw and adam, accumulation: 1, methods that can"),
    ConfigurationKey("logEvery", "updates between log records", allowed: .atLeast(1)),
    ConfigurationKey("checkpointSeconds", "seconds between checkpoints within an experience", allowed: .positive),
    ConfigurationKey("checkpointSteps", "updates between checkpoints; 0 to go by seconds", allowed: .atLeast(0)),
    ConfigurationKey("keepModels", "keep the model after each experience as a directory below models/ of the run"),
  ]

  public var conflict: ConfigurationConflict? {
    for (key, isSet) in [("relativeStep", relativeStep), ("scalesByParameter", scalesByParameter)]
    where isSet && optimizer != .adafactor {
      return ConfigurationConflict(
        key: key, reason: "it is Adafactor's, and the optimizer is \(optimizer.rawValue). Set optimizer: adafactor.")
    }
    if recordsUpdates, !makeOptimizer().isRecordable || accumulation > 1 {
      return ConfigurationConflict(
        key: "recordsUpdates",
        reason: "it takes one forward pass an update (accumulation: 1) and the optimizer adamw or adam.")
    }
    return nil
  }

  /// The learning rate of an update, counted from 0.
  func rate(at update: Int, of updates: Int) -> Double {
    learningRate * schedule.factor(step: update, warmup: Int(warmup * Double(updates)), total: updates)
  }

  func makeOptimizer() -> any Optimizer {
    switch optimizer {
    case .adamw, .adam:
      var configuration = AdamW.Configuration()
      (configuration.beta1, configuration.beta2, configuration.epsilon) = (beta1, beta2, epsilon)
      configuration.weightDecay = weightDecay
      configuration.isDecoupled = optimizer == .adamw
      return AdamW(configuration)
    case .adafactor:
      var configuration = Adafactor.Configuration()
      (configuration.usesRelativeStep, configuration.scalesByParameter) = (relativeStep, scalesByParameter)
      configuration.weightDecay = weightDecay
      return Adafactor(configuration)
    case .sgd:
      var configuration = SGD.Configuration()
      configuration.momentum = momentum
      configuration.weightDecay = weightDecay
      return SGD(configuration)
    }
  }
}
