public import Torch

/// How a language model writes an answer.
public struct GenerationSettings: Sendable, Equatable {
  /// Most tokens of an answer, the one that ends it included.
  public var maxTokens: Int
  public var strategy = Strategy.greedy
  /// What the scores of tokens that were read or written already are divided by where positive, else multiplied by
  /// (Keskar et al. 2019, arXiv 1909.05858, §4.1); 1 for nothing.
  public var repetitionPenalty = 1.0
  /// Texts that end an answer and do not belong to it.
  public var stopStrings: [String] = []

  /// How the next token is chosen.
  public enum Strategy: Sendable, Equatable {
    /// The likeliest one.
    case greedy
    /// One drawn at random.
    case sampling(Sampling)
    /// Those of the likeliest whole answer, as far as a beam search finds it.
    case beam(Beam)
  }

  /// From which tokens one is drawn: those that pass all filters, in the order of the fields.
  public struct Sampling: Sendable, Equatable {
    /// Divides the scores: below 1 the likely tokens become likelier.
    public var temperature = 1.0
    /// Only so many of the likeliest tokens remain (Fan et al. 2018, arXiv 1805.04833); nil for all.
    public var topK: Int?
    /// Only the likeliest tokens remain that together have this probability (nucleus sampling, Holtzman et al. 2020,
    /// arXiv 1904.09751); 1 for all.
    public var topP = 1.0
    /// Each row draws from a generator of its own, derived from this one: its answer does not depend on the others.
    public var generator = Generator(seed: 0)
    /// Names of the rows, by which their generators are derived; empty to derive them by place.
    public var rows: [String] = []

    public init(
      temperature: Double = 1, topK: Int? = nil, topP: Double = 1, generator: Generator = Generator(seed: 0)
    ) {
      precondition(temperature > 0, "Sampling: the temperature is \(temperature), not above 0")
      precondition(topK ?? 1 > 0, "Sampling: topK is \(topK ?? 1), not above 0")
      precondition(topP > 0 && topP <= 1, "Sampling: topP is \(topP), not above 0 and up to 1")
      (self.temperature, self.topK, self.topP, self.generator) = (temperature, topK, topP, generator)
    }

    /// What the row at a place draws from.
    public func generator(ofRow place: Int) -> Generator {
      generator.derived("row \(rows.isEmpty ? String(place) : rows[place])")
    }
  }

  /// A search that keeps the best unfinished answers side by side, as in transformers 5.23 `generate(num_beams=…)`.
  public struct Beam: Sendable, Equatable {
    /// How many answers are kept.
    public var width: Int
    /// A finished answer's log-likelihood is divided by (its length)^penalty (Wu et al. 2016, arXiv 1609.08144, eq. 14,
    /// simplified): above 0 longer answers gain.
    public var lengthPenalty = 1.0
    public var stopping = Stopping.estimated

    /// When a row with `width` finished answers stops.
    public enum Stopping: String, Sendable, Equatable {
      /// When the best unfinished answer would be worse, did it end now (transformers' `early_stopping=False`).
      case estimated
      /// At once (`early_stopping=True`).
      case atOnce
      /// When no unfinished answer can become better any more (`early_stopping="never"`).
      case never
    }

    public init(width: Int, lengthPenalty: Double = 1, stopping: Stopping = .estimated) {
      precondition(width > 0, "Beam: the width is \(width), not above 0")
      (self.width, self.lengthPenalty, self.stopping) = (width, lengthPenalty, stopping)
    }
  }

  public init(
    maxTokens: Int, strategy: Strategy = .greedy, repetitionPenalty: Double = 1, stopStrings: [String] = []
  ) {
    precondition(repetitionPenalty > 0, "GenerationSettings: the penalty is \(repetitionPenalty), not above 0")
    (self.maxTokens, self.strategy) = (maxTokens, strategy)
    (self.repetitionPenalty, self.stopStrings) = (repetitionPenalty, stopStrings)
  }
}

/// What a language model wrote for one row.
public struct GeneratedAnswer: Sendable, Equatable {
  /// Without the token that ended it; up to and with the tokens of the text that did.
  public var tokens: [Int32]
  /// The text of the tokens, cut before the stop string; nil where nobody decoded.
  public var text: String?
  public var end: End

  /// Why an answer ended.
  public enum End: Sendable, Equatable {
    case endToken, stopString, length
  }

  public init(tokens: [Int32] = [], text: String? = nil, end: End = .length) {
    (self.tokens, self.text, self.end) = (tokens, text, end)
  }
}
