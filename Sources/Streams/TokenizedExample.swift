public import Tokenizers

/// One example as a model sees it: token ids with special tokens, and its class among all of the stream.
public struct TokenizedExample: Sendable, Hashable, Codable {
  /// Unique within its experience and split.
  public let id: String
  public var tokens: [Int32]
  /// How many leading tokens belong to the first text; the rest belong to its pair.
  public let firstLength: Int
  /// Global class; −1 where the answer is a free text.
  public let target: Int
  /// The tokens that a language model must write, the one that ends an answer included; none for classifiers.
  public var answer: [Int32]
  /// The accepted answers as texts, of examples to measure on; empty in training.
  public let accepted: [String]
  /// Position of the experience it comes from.
  public var experience: Int
  /// Where in `tokens` each token of `answer` is predicted; empty where the answer is a text of its own.
  public var places: [Int32] = []
  /// Lengths of the documents that stand behind one another in `tokens`, none seeing another; empty where it is one text.
  public var documents: [Int32] = []

  public init(
    id: String, tokens: [Int32], firstLength: Int, target: Int, answer: [Int32] = [], accepted: [String] = [],
    experience: Int
  ) {
    (self.id, self.tokens, self.firstLength) = (id, tokens, firstLength)
    (self.target, self.experience) = (target, experience)
    (self.answer, self.accepted) = (answer, accepted)
  }
}

/// The three splits of an experience, tokenized once for the whole run.
public struct TokenizedExperience: Sendable {
  public let train: [TokenizedExample]
  public let validation: [TokenizedExample]
  public let test: [TokenizedExample]
  /// The name of each class of the experience as an answer, for language models.
  public let options: [[Int32]]
  /// Conversations that were too long, of all splits.
  public private(set) var shortened = ShortenedConversations()
  /// Other texts that were too long, of all splits.
  public private(set) var cut = CutTexts()

  public init(
    train: [TokenizedExample], validation: [TokenizedExample], test: [TokenizedExample], options: [[Int32]] = []
  ) {
    (self.train, self.validation, self.test) = (train, validation, test)
    self.options = options
  }

  /// Tokenizes an experience; texts longer than `maxTokens`, special tokens included, are cut.
  public init(_ experience: Experience, tokenizer: any Tokenizer, maxTokens: Int) {
    var cut = CutTexts()
    func tokenize(_ dataset: Dataset) -> [TokenizedExample] {
      let texts = dataset.examples.map { ($0.text, $0.pair) }
      let (encodings, lost) = tokenizer.encodeAllCounting(texts, maxTokens: maxTokens)
      cut.texts += lost
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
    self.cut = cut
  }
}

/// How a language model is asked.
public struct AnswerForm: Sendable {
  /// Most tokens of the prompt, special tokens included; the end of a longer one is cut, as the benchmarks do.
  public let maxTokens: Int
  /// Most tokens of an answer, the one that ends it included.
  public let maxAnswerTokens: Int
  /// Ends an answer.
  public let end: Int32
  /// How conversations are read; needed where there are some.
  public let conversations: ConversationForm?

  public init(maxTokens: Int, maxAnswerTokens: Int, end: Int32, conversations: ConversationForm? = nil) {
    (self.maxTokens, self.maxAnswerTokens, self.end) = (maxTokens, maxAnswerTokens, end)
    self.conversations = conversations
  }
}

extension TokenizedExperience {
  /// Tokenizes an experience as prompts and answers.
  public init(_ experience: Experience, tokenizer: any Tokenizer, form: AnswerForm) {
    let reader = AnswerReader(experience, tokenizer: tokenizer, form: form)
    var shortened = ShortenedConversations(), cut = CutTexts()
    func tokenize(_ dataset: Dataset, isMeasured: Bool) -> [TokenizedExample] {
      guard dataset.holdsConversations else { return reader.examples(dataset, isMeasured: isMeasured, &cut) }
      guard let form = form.conversations else {
        preconditionFailure("TokenizedExperience(\(experience.name)): conversations without a form")
      }
      let reader = ConversationReader(tokenizer: tokenizer, form: form)
      let (examples, lost) = reader.examples(dataset, experience: experience.index, isMeasured: isMeasured)
      shortened = shortened + lost
      return examples
    }
    self.init(
      train: tokenize(experience.train, isMeasured: false),
      validation: tokenize(experience.validation, isMeasured: true), test: tokenize(experience.test, isMeasured: true),
      options: reader.options)
    (self.shortened, self.cut) = (shortened, cut)
  }
}

/// Makes prompts and answers of the examples of an experience.
private struct AnswerReader {
  private let experience: Experience
  private let tokenizer: any Tokenizer
  private let form: AnswerForm
  /// The name of each class as an answer.
  let options: [[Int32]]

  init(_ experience: Experience, tokenizer: any Tokenizer, form: AnswerForm) {
    (self.experience, self.tokenizer, self.form) = (experience, tokenizer, form)
    options = experience.labels.map { form.answer(tokenizer.bareIDs(of: $0)) }
  }

  func examples(_ dataset: Dataset, isMeasured: Bool, _ cut: inout CutTexts) -> [TokenizedExample] {
    let prompts = dataset.examples.map { (experience.prompt.text(of: $0, labels: dataset.labels), String?.none) }
    let (encodings, lost) = tokenizer.encodeAllCounting(prompts, maxTokens: form.maxTokens)
    cut.texts += lost
    return zip(dataset.examples, encodings).map { example, encoding in
      // Something must stand before an answer: where the tokenizer adds nothing to a prompt without a word, it is what
      // ends one text and so stands before the next.
      let tokens = encoding.ids.isEmpty ? [form.end] : encoding.ids
      let isClass = !dataset.labels.isEmpty
      return TokenizedExample(
        id: example.id, tokens: tokens, firstLength: tokens.count,
        target: isClass ? experience.classes[example.label] : -1,
        answer: isClass ? options[example.label] : answer(example.answers[0], &cut),
        accepted: isMeasured ? (isClass ? [dataset.labels[example.label]] : example.answers) : [],
        experience: experience.index)
    }
  }

  private func answer(_ text: String, _ cut: inout CutTexts) -> [Int32] {
    let ids = tokenizer.bareIDs(of: text), answer = form.answer(ids)
    cut.answers += answer.count <= ids.count ? 1 : 0
    return answer
  }
}

extension AnswerForm {
  /// The ids of an answer, cut where it is too long, with the end behind them.
  fileprivate func answer(_ ids: [Int32]) -> [Int32] { ids.prefix(maxAnswerTokens - 1) + [end] }
}

/// Examples that go through the model together. Integers only, so that it may cross threads.
public struct Batch: Sendable {
  public var examples: [TokenizedExample]

  public init(_ examples: [TokenizedExample]) { self.examples = examples }

  public var rows: Int { examples.count }
  /// Real tokens, answers included, padding not counted.
  public var tokenCount: Int {
    examples.reduce(0) { $0 + $1.tokens.count + ($1.places.isEmpty ? $1.answer.count : 0) }
  }
  /// Terms of the mean that the loss is: rows, or the tokens to write where there are answers.
  public var lossTerms: Int {
    let written = examples.reduce(0) { $0 + $1.answer.count }
    return written > 0 ? written : rows
  }
}
