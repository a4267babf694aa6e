import NN
public import Streams
import Torch

/// How evaluation batches are cut, and how a language model is measured.
public struct EvaluationSettings: ConfigurationSection {
  /// Padded tokens in one batch.
  public var batchTokens = 2048
  /// Whether experiences not yet trained are evaluated too (needed for forward transfer).
  public var future = true
  /// Examples of each validation split that are scored after each experience; 0 for none.
  public var validation = 500
  /// How a language model is measured; a classifier always by its classes.
  public var answers = Answers.scored
  /// Most tokens that a language model writes for an answer.
  public var maxAnswerTokens = 50
  /// Answers that a beam search keeps side by side; 1 for no beam search.
  public var beams = 1
  /// Divides the scores of the tokens of which one is drawn; 0 takes the likeliest one.
  public var temperature = 0.0
  /// Only so many of the likeliest tokens may be drawn; 0 for all.
  public var topK = 0
  /// Only the likeliest tokens that together have this probability may be drawn; 1 for all.
  public var topP = 1.0
  /// Makes tokens that were written already less likely; 1 for nothing.
  public var repetitionPenalty = 1.0
  /// Texts that end an answer and do not belong to it.
  public var stopStrings: [String] = []

  /// Streams whose test examples are measured before the first experience and after each, and never trained.
  public var abilities: [String] = []
  /// Most examples of each of them; 0 for all.
  public var abilityCap = 200

  public typealias Answers = AnswerMeasure

  public init() {}
  public static let keys = [
    ConfigurationKey("batchTokens", "padded tokens in one evaluation batch", allowed: .atLeast(1)),
    ConfigurationKey("future", "evaluate experiences that are not trained yet (forward transfer needs it)"),
    ConfigurationKey("validation", "validation examples scored per experience; 0 for none", allowed: .atLeast(0)),
    ConfigurationKey(
      "answers",
      "language models: scored (the likeliest class; conversations as their stream says), or, of all answers, exactMatch, "
        + "rougeL, finalNumber (of what the model writes) or loss (of the accepted answer)"),
    ConfigurationKey("maxAnswerTokens", "language models: most tokens of an answer", allowed: .atLeast(2)),
    ConfigurationKey(
      "beams", "language models: width of the beam search that writes answers; 1 for none", allowed: .atLeast(1)),
    ConfigurationKey(
      "temperature", "tokens of answers are drawn at this temperature; 0 takes the likeliest", allowed: .atLeast(0)),
    ConfigurationKey("topK", "draw among so many of the likeliest tokens; 0 for all", allowed: .atLeast(0)),
    ConfigurationKey(
      "topP", "draw among the likeliest tokens that have this probability together; 1 for all",
      allowed: .range(0.001...1)),
    ConfigurationKey(
      "repetitionPenalty", "above 1, tokens of an answer are less likely to be written again", allowed: .positive),
    ConfigurationKey("stopStrings", "texts that end an answer and do not belong to it"),
    ConfigurationKey(
      "abilities",
      "measured before the first experience and after each, never trained: STREAM, STREAM/TASK (cl15/copa) or folders"),
    ConfigurationKey("abilityCap", "most test examples of each ability; 0 for all", allowed: .atLeast(0)),
  ]

  public var conflict: ConfigurationConflict? {
    if beams > 1, temperature > 0 {
      return ConfigurationConflict(
        key: "temperature", reason: "a beam search draws nothing. Set beams: 1 to draw, or temperature: 0 to search.")
    }
    for (key, isSet) in [("topK", topK > 0), ("topP", topP < 1)] where isSet && temperature == 0 {
      let instead = beams > 1 ? "beams: 1 and temperature: 1" : "temperature: 1"
      return ConfigurationConflict(
        key: key, reason: "it chooses among tokens to draw, and none is drawn. Set \(instead) to draw.")
    }
    return nil
  }

  /// How the answers to `examples` are written; an example's draws depend on `draw` and on itself alone.
  func generation(of examples: [TokenizedExample], draw: Generator) -> GenerationSettings {
    GenerationSettings(
      maxTokens: maxAnswerTokens, strategy: strategy(examples, draw), repetitionPenalty: repetitionPenalty,
      stopStrings: stopStrings)
  }

  private func strategy(_ examples: [TokenizedExample], _ draw: Generator) -> GenerationSettings.Strategy {
    if beams > 1 { return .beam(GenerationSettings.Beam(width: beams)) }
    guard temperature > 0 else { return .greedy }
    var sampling = GenerationSettings.Sampling(
      temperature: temperature, topK: topK > 0 ? topK : nil, topP: topP, generator: draw)
    sampling.rows = examples.map { "\($0.experience).\($0.id)" }
    return .sampling(sampling)
  }
}
