import Adapters
public import Continual
import NN
import Streams
import Torch

/// Writes inputs like those of an experience, by a LoRA that is trained to write each of them behind one token, and that
/// lives only as long as it takes.
///
/// Source: Zhao et al. 2024 (arXiv 2401.08295), with the values of circle-hit/SAPT at 52a52b9, `pseudo_data`: 5000 updates of
/// 16 inputs, AdamW at 1e-3, top-k 20, repetition penalty 2.5. Deviations: no dropout; the token is the last of the
/// vocabulary that occurs in no text, and the LoRA has the rank and targets of the method's own.
public struct InputWriter {
  /// How it is trained and asked.
  public struct Configuration: ConfigurationSection {
    public var updates = 5000
    public var batchSize = 16
    public var learningRate = 1e-3
    public var maxTokens = 512
    public var topK = 20
    public var repetitionPenalty = 2.5
    public init() {}
    public static let keys = [
      ConfigurationKey("updates", "updates of the adapter that writes", allowed: .atLeast(1)),
      ConfigurationKey("batchSize", "inputs in one update", allowed: .atLeast(1)),
      ConfigurationKey("learningRate", "AdamW's rate", allowed: .positive),
      ConfigurationKey("maxTokens", "most tokens of a written input", allowed: .atLeast(1)),
      ConfigurationKey("topK", "tokens of which one is drawn; 0 for all", allowed: .atLeast(0)),
      ConfigurationKey("repetitionPenalty", "of the tokens that an input has already", allowed: .positive),
    ]
  }

  private let configuration: Configuration
  private let experience: Experience
  private let learner: Learner
  private let inputs: [[Int32]]
  private let end: Int32
  private let random: Generator

  init(_ configuration: Configuration, of experience: Experience, _ learner: Learner) {
    guard let end = (learner.model as? any Generates)?.endTokens.first else {
      preconditionFailure("InputWriter: \(type(of: learner.model)) does not generate")
    }
    (self.configuration, self.experience, self.learner, self.end) = (configuration, experience, learner, end)
    inputs = learner.data(of: experience).train.map(\.tokens)
    random = learner.generator.derived("writer.\(experience.index)")
  }

  /// So many inputs, less those that were written empty. `set` is fresh; it is trained alone, and taken off the model.
  func write(_ count: Int, with set: AdapterSet) throws -> [TokenizedExample] {
    defer { set.remove(from: learner.parameters) }
    let others = learner.parameters.linears.flatMap(\.attachments).filter { attached in
      attached.isEnabled && !set.adapters.contains { $0 === attached }
    }
    for other in others { other.isEnabled = false }
    defer { for other in others { other.isEnabled = true } }
    let mark = try learner.freeTokens(1)
    let asked = learner.model.answerLayout == .apart ? mark + [end] : mark
    try train(set.parameters, behind: asked)
    let sampling = TextSampling(
      maxTokens: min(configuration.maxTokens, learner.model.maxLength - asked.count), topK: configuration.topK,
      repetitionPenalty: configuration.repetitionPenalty)
    let written = try stride(from: 0, to: count, by: 32).flatMap { start in
      try learner.pause()
      return learner.write(start..<min(start + 32, count), behind: asked, sampling, draw: random.derived("draw"))
    }
    // The texts of an encoder-decoder end with the token that ends answers, those of a decoder do not.
    let closing = inputs.allSatisfy { $0.last == end } ? [end] : []
    return written.filter { !$0.isEmpty }.enumerated().map { index, text in
      TokenizedExample(
        id: "written.\(experience.index).\(index)", tokens: text + closing, firstLength: text.count + closing.count,
        target: -1, experience: experience.index)
    }
  }

  private func train(_ parameters: [Parameter], behind asked: [Int32]) throws {
    let jobs = inputs.map { text in
      TokenizedExample(
        id: "", tokens: asked, firstLength: asked.count, target: -1, answer: text.last == end ? text : text + [end],
        experience: experience.index)
    }
    var settings = TrainingSettings()
    (settings.batchSize, settings.learningRate) = (configuration.batchSize, configuration.learningRate)
    // As many epochs as that takes, of one update at least.
    (settings.maxUpdates, settings.epochs) = (configuration.updates, configuration.updates)
    do {
      try learner.fit(parameters, to: jobs, of: experience, settings: settings, order: random.derived("order"))
    } catch TrainingError.nonFiniteGradient(_, let update, _) {
      throw SAPTLoRAError.writerDiverged(experience: experience.name, update: update)
    }
  }
}
