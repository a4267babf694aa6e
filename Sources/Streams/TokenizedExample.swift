public import Tokenizers

/// One example as a model sees it: token ids with special tokens, and its class among all of the stream.
public struct TokenizedExample: Sendable, Hashable, Codable {
  /// Unique within its experience and split.
  public let id: String
  public let tokens: [Int32]
  /// How many leading tokens belong to the first text; the rest belong to its pair.
  public let firstLength: Int
  /// Global class; −1 where the answer is a free text.
  public let target: Int
  /// The tokens that a language model must write, the one that ends an answer included; none for classifiers.
  public let answer: [Int32]
  /// Position of the experience it comes from.
  public let experience: Int

  public init(
    id: String, tokens: [Int32], firstLength: Int, target: Int, answer: [Int32] = [], experience: Int
  ) {
    (self.id, self.tokens, self.firstLength) = (id, tokens, firstLength)
    (self.target, self.answer, self.experience) = (target, answer, experience)
  }
}

/// The three splits of an experience, tokenized once for the whole run.
public struct TokenizedExperience: Sendable {
  public let train: [TokenizedExample]
  public let validation: [TokenizedExample]
  public let test: [TokenizedExample]
  /// The name of each class of the experience as an answer, for language models.
  public let options: [[Int32]]

  public init(
    train: [TokenizedExample], validation: [TokenizedExample], test: [TokenizedExample], options: [[Int32]] = []
  ) {
    (self.train, self.validation, self.test) = (train, validation, test)
    self.options = options
  }

  /// Tokenizes an experience; texts longer than `maxTokens`, special tokens included, are cut.
  public init(_ experience: Experience, tokenizer: any Tokenizer, maxTokens: Int) {
    func tokenize(_ dataset: Dataset) -> [TokenizedExample] {
      let encodings = tokenizer.encodeAll(dataset.examples.map { ($0.text, $0.pair) }, maxTokens: maxTokens)
      return zip(dataset.examples, encodings).map { example, encoding in
        TokenizedExample(
          id: example.id, tokens: encoding.ids,
          firstLength: encoding.segments.firstIndex(of: 1) ?? encoding.ids.count,
          target: experience.classes[example.label], experience: experience.index)
      }
    }
    train = tokenize(experience.train)
    validation = tokenize(experience.validation)
    test = tokenize(experience.test)
    options = []
  }
}

/// Examples that go through the model together. Integers only, so that it may cross threads.
public struct Batch: Sendable {
  public var examples: [TokenizedExample]

  public init(_ examples: [TokenizedExample]) { self.examples = examples }

  public var rows: Int { examples.count }
  /// Real tokens, answers included, padding not counted.
  public var tokenCount: Int { examples.reduce(0) { $0 + $1.tokens.count + $1.answer.count } }
  /// Terms of the mean that the loss is: rows, or the tokens to write where there are answers.
  public var lossTerms: Int {
    let written = examples.reduce(0) { $0 + $1.answer.count }
    return written > 0 ? written : rows
  }
  public var maxLength: Int { examples.map(\.tokens.count).max() ?? 0 }
}
