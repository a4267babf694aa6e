public import Continual
import Evaluation
import Foundation
public import Models
public import NN
public import Streams
public import Torch

/// Two toy experiences on the tiny BERT, trained as the goldens of `Tools/golden/methods.py` were: fixed batches,
/// float32, no dropout, AdamW with epsilon 1e-5, five updates each.
public struct Trace {
  public let trainer: Trainer
  public let recorder: Recorder

  public init(
    on model: (any TaskModel)? = nil, settings change: (inout TrainingSettings) -> Void = { _ in },
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws {
    let inputs = try Golden.load("methods/inputs.safetensors")
    let learner = Learner(model: try model ?? Self.model(), stream: Self.stream(), device: .cpu, seed: 0) {
      experience in
      TokenizedExperience(train: Self.examples(experience.index, inputs), validation: [], test: [])
    }
    for (name, value) in inputs where name.hasPrefix("heads.") { learner.parameters[name]?.assign(value) }
    var settings = TrainingSettings()
    (settings.epochs, settings.maxUpdates, settings.shuffle) = (2, 5, false)
    (settings.batchSize, settings.learningRate, settings.epsilon) = (4, 1e-3, 1e-5)
    settings.precision = .fp32
    change(&settings)
    var evaluation = EvaluationSettings()
    evaluation.future = false
    recorder = Recorder()
    trainer = Trainer(
      learner: learner, methods: [GoldenAdapters(inputs)] + (try methods(learner)), settings: settings,
      evaluation: evaluation, observer: recorder)
  }

  public var learner: Learner { trainer.learner }

  public static func model(dtype: DType = .float32, device: Device = .cpu) throws -> EncoderClassifier {
    try ModelIndex.encoder(
      Golden.url("bert-tiny"), pooling: .mean, dropout: 0, dtype: dtype, device: device, seed: 0)
  }

  static func stream() -> TaskStream {
    let data = { (name: String) in Dataset(name: name, labels: ["0", "1", "2"], examples: []) }
    return TaskStream(
      name: "toy", experiences: ["first", "second"].map { Experience(name: $0, train: data($0), test: data($0)) })
  }

  /// The 16 sequences of an experience, four a batch. The toy batches are padded to 12 whatever their lengths, so
  /// padding is kept as tokens only where the longest row of a batch is shorter.
  static func examples(_ experience: Int, _ inputs: [String: Tensor]) -> [TokenizedExample] {
    guard let ids = inputs["experience.\(experience).input_ids"],
      let mask = inputs["experience.\(experience).attention_mask"],
      let segments = inputs["experience.\(experience).token_type_ids"],
      let labels = inputs["experience.\(experience).labels"]
    else { return [] }
    let width = ids.shape[2]
    let tokens = ids.scalars(Int64.self), real = mask.values(), segment = segments.values()
    let targets = labels.values()
    return targets.indices.map { row in
      let range = row * width..<(row + 1) * width
      let length = real[range].reduce(0, +)
      let first = segment[range].prefix(Int(length)).firstIndex(of: 1).map { $0 - range.lowerBound } ?? Int(length)
      return TokenizedExample(
        id: "\(experience).\(row)", tokens: tokens[range].prefix(Int(length)).map(Int32.init), firstLength: first,
        target: experience * 3 + Int(targets[row]), experience: experience)
    }
  }

  /// What the golden and the run disagree on: losses and every `final.` tensor; empty when they agree.
  public func disagreements(with file: String, atol: Double = 1e-5) throws -> [String] {
    let golden = try Golden.load("methods/\(file).safetensors")
    guard let expected = golden["losses"] else { throw GoldenError.missing("losses") }
    var found: [String] = []
    if let gap = difference(Tensor(recorder.losses), expected, atol: atol) { found.append("losses \(gap)") }
    for (key, value) in golden where key.hasPrefix("final.") {
      let name = String(key.dropFirst("final.".count))
      guard let parameter = learner.parameters[name] else { throw GoldenError.missing(name) }
      if let gap = difference(parameter.master, value, atol: atol) { found.append("\(name) \(gap)") }
    }
    return found.sorted()
  }
}

/// Gives the adapters of an experience the golden's factors, before any other method sees them.
private final class GoldenAdapters: ContinualMethod {
  static let card = MethodCard(
    name: "golden-adapters", summary: "adapters start from the golden's factors", family: .reference,
    paper: Citation("Tools/golden/inputs.py", url: ""))
  var state = MethodState()
  private var inputs: [String: Tensor] = [:]

  convenience init(_ inputs: [String: Tensor]) {
    self.init()
    self.inputs = inputs
  }
  convenience init(_ configuration: NoConfiguration, learner: Learner) { self.init() }
  private init() {}

  func willBegin(_ experience: Experience, learner: Learner) {
    for (name, value) in inputs where name.contains(".lora.\(experience.index).") {
      learner.parameters[name]?.assign(value)
    }
  }
}

/// Keeps the losses of a run and calls back.
public final class Recorder: TrainingObserver {
  public private(set) var losses: [Double] = []
  public var onBegin: (Int) -> Void = { _ in }
  public var onUpdate: (Trainer, any Optimizer) throws -> Void = { _, _ in }
  public var onEnd: (Trainer) throws -> Void = { _ in }
  public var onStop: (Trainer, any Optimizer) throws -> Void = { _, _ in }

  public init() {}

  public func willTrain(_ experience: Experience, updates: Int, from step: Int) { onBegin(experience.index) }
  public func didCompute(_ report: StepReport) { losses.append(report.loss.item()) }
  public func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws { try onUpdate(trainer, optimizer) }
  public func willEvaluate(_ experience: Experience) {}
  public func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {}
  public func didEnd(_ trainer: Trainer) throws { try onEnd(trainer) }
  public func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws { try onStop(trainer, optimizer) }
}

/// A golden that lacks a tensor.
public enum GoldenError: Error { case missing(String) }
