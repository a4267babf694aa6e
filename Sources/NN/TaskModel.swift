public import Torch

/// One batch on the device.
public struct DeviceBatch {
  /// int64 `[rows, length]`, padded on the right.
  public private(set) var tokens: Tensor
  /// int64 `[rows, length]`: 0 for the first text, 1 for its pair.
  public private(set) var segments: Tensor
  /// 1 for a token, 0 for padding, `[rows, length]` float32; nil where nothing is padded.
  public private(set) var mask: Tensor?
  /// Real tokens in each row.
  public let lengths: [Int]
  /// Where rows hold several documents that must not see each other; else nil.
  public private(set) var documents: PackedDocuments?
  /// int64 `[rows, positions]`: the tokens that a language model must write, −100 where it need not; nil for
  /// classifiers. Positions are those of the answer, or of `tokens` where the answer stands behind the text.
  public private(set) var labels: Tensor?
  /// int64 `[n]`: where `labels`, laid out as one row, has a token.
  public private(set) var labelPlaces: Tensor?
  /// Global class of each row, int64 `[rows]`.
  public private(set) var targets: Tensor
  /// Experience that each row comes from.
  public let experiences: [Int]
  /// For each row, which of `candidateSets` its prediction is taken from. A method that knows more about a row may
  /// narrow it down.
  public var candidates: [Int]
  /// Sets of global classes.
  public var candidateSets: [[Int]]

  public init(
    tokens: Tensor, segments: Tensor, mask: Tensor?, lengths: [Int], documents: PackedDocuments? = nil,
    labels: Tensor? = nil, labelPlaces: Tensor? = nil, targets: [Int], experiences: [Int], candidates: [Int],
    candidateSets: [[Int]]
  ) {
    (self.tokens, self.segments, self.mask, self.lengths) = (tokens, segments, mask, lengths)
    (self.documents, self.labels, self.labelPlaces) = (documents, labels, labelPlaces)
    self.targets = Tensor(targets.map(Int64.init), device: tokens.device)
    self.experiences = experiences
    (self.candidates, self.candidateSets) = (candidates, candidateSets)
  }

  public var rows: Int { tokens.size(0) }
  public var device: Device { tokens.device }

  /// float32 `[rows, length]`: 1 for a token of a text, 0 for padding and for an answer that stands behind the text; nil
  /// where all are tokens of texts. What is written from its first token on, as in pre-training, has no answer: all of it
  /// is text.
  public func textMask(_ layout: AnswerLayout) -> Tensor? {
    guard let labels, layout == .behind else { return mask }
    let writes = (labels .!= Tensor.full([1], -100, dtype: .int64, device: device)).to(.float32)
    let none = Tensor.zeros([1], device: device)
    // The text's last token is the first that writes the answer; what stands behind it is the answer.
    let isText = ((writes.cumulativeSum(1) - writes) .== none) .| (writes.narrowed(1, 0..<1) .!= none)
    return mask.map { $0 * isText.to(.float32) } ?? isText.to(.float32)
  }
}

extension DeviceBatch {
  /// What a forward pass over a batch is made for, beside the values of its tensors: a recording of one (`Recording`) is
  /// right for every batch of its form.
  public struct Form: Hashable, Sendable {
    let shapes: [[Int]?]
    let candidates: [Int]
    let candidateSets: [[Int]]
  }

  public var form: Form {
    Form(shapes: tensors.map { $0?.shape }, candidates: candidates, candidateSets: candidateSets)
  }

  private var tensors: [Tensor?] {
    [tokens, segments, mask, documents?.indices, documents?.positions, labels, labelPlaces, targets]
  }

  /// The batch with other tokens, int64 `[rows, length]`, and these labels in place of its own.
  public func reading(_ tokens: Tensor, labels: Tensor? = nil) -> DeviceBatch {
    var copy = self
    (copy.tokens, copy.labels, copy.labelPlaces) = (tokens, labels, nil)
    return copy
  }

  /// The batch in memory of its own.
  public func cloned() -> DeviceBatch {
    var copy = self
    (copy.tokens, copy.segments, copy.mask) = (tokens.clone(), segments.clone(), mask?.clone())
    copy.documents = documents.map { PackedDocuments(indices: $0.indices.clone(), positions: $0.positions.clone()) }
    (copy.labels, copy.labelPlaces, copy.targets) = (labels?.clone(), labelPlaces?.clone(), targets.clone())
    return copy
  }

  /// Puts another batch of the same form into this one's memory.
  public func copy(from other: DeviceBatch) {
    precondition(form == other.form, "DeviceBatch.copy: the other has another form")
    for (own, other) in zip(tensors, other.tensors) {
      if let own, let other { own.copy(from: other) }
    }
  }
}

/// Documents that stand behind one another in the rows of a batch.
public struct PackedDocuments {
  /// int64 `[rows, length]`: the document of each token, counted in its row; −1 for padding.
  public let indices: Tensor
  /// int64 `[rows, length]`: each token's place in its document; 0 for padding.
  public let positions: Tensor

  /// float32 `[rows, length]`: 1 for a token, 0 for padding.
  public var mask: Tensor { (indices .>= Tensor.zeros([], dtype: .int64, device: indices.device)).to(.float32) }

  public init(indices: Tensor, positions: Tensor) { (self.indices, self.positions) = (indices, positions) }
}

/// What one forward pass gives.
public struct ModelOutput {
  /// Mean cross-entropy, float32: over the rows of a classifier, over the tokens that a language model must write.
  public let loss: Tensor
  /// `[rows, width]`: the pooled representation of a classifier; nil of a language model.
  public let features: Tensor?
  /// A classifier's logits, float32; those outside a row's candidates are −inf. Nil of a language model.
  public let classes: ClassScores?

  public init(loss: Tensor, features: Tensor? = nil, classes: ClassScores? = nil) {
    (self.loss, self.features, self.classes) = (loss, features, classes)
  }
}

/// How well classes fit rows.
public struct ClassScores {
  /// `[rows, columns]`, larger is likelier.
  public let values: Tensor
  /// The global class of each column.
  public let columns: [Int]

  public init(values: Tensor, columns: [Int]) { (self.values, self.columns) = (values, columns) }

  /// The most likely class of each row. Waits for the device.
  public func predictions() -> [Int] { values.argmax(1).scalars(Int64.self).map { columns[Int($0)] } }
}

/// Where the answer stands in a batch.
public enum AnswerLayout: Sendable {
  /// Nowhere: it is a class.
  case none
  /// Apart from the text: an encoder reads the text, a decoder writes the answer.
  case apart
  /// Behind the text, in one sequence.
  case behind
  /// Within the text, in place of tokens that are hidden.
  case within
}

/// What a learner trains.
public protocol TaskModel: AnyObject {
  var parameters: ParameterStore { get }
  /// Longest sequence, in tokens.
  var maxLength: Int { get }
  var answerLayout: AnswerLayout { get }
  func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput
}

/// The capability of turning a text into one vector.
public protocol Represents: TaskModel {
  /// Size of the vector.
  var featureWidth: Int { get }
  /// `[rows, featureWidth]` in the compute dtype: one vector a text, whether or not an answer stands behind it.
  func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor
}

/// The capability of turning a text into one vector by attention over all of it: an encoder.
public protocol Encodes: Represents {
  /// Heads of each attention layer.
  var attentionHeads: Int { get }
}

/// The capability of answering with a class: an encoder with classification heads.
public protocol Classifies: Encodes {
  var heads: HeadBank { get }
}

extension Classifies {
  public var answerLayout: AnswerLayout { .none }
  public func callAsFunction(_ batch: DeviceBatch, _ mode: Mode) -> ModelOutput {
    let features = features(batch, mode)
    let (scores, loss) = heads(features, batch, mode)
    return ModelOutput(loss: loss, features: features, classes: scores)
  }
}

/// The capability of predicting tokens: any language model.
public protocol PredictsTokens: TaskModel {
  /// Number of tokens it can predict.
  var vocabularySize: Int { get }
  /// Scores of what the batch's labels name, in the graph: `[n, vocabularySize]` in the order of `labelPlaces`, in training
  /// in the compute dtype, otherwise float32.
  func labelScores(_ batch: DeviceBatch, _ mode: Mode) -> Tensor
  /// The states from which those scores are made, in the graph: `[n, width]`, in the compute dtype.
  func labelStates(_ batch: DeviceBatch, _ mode: Mode) -> Tensor
  /// How well the batch's labels are predicted, without a graph.
  func tokenScores(_ batch: DeviceBatch) -> TokenScores
}

/// How well tokens were predicted.
public struct TokenScores: Sendable, Equatable {
  /// Sum of the cross-entropies, in nats.
  public var loss = 0.0
  /// Tokens that were the likeliest.
  public var correct = 0
  public var count = 0

  public init() {}

  public static func += (sum: inout TokenScores, part: TokenScores) {
    sum.loss += part.loss
    sum.correct += part.correct
    sum.count += part.count
  }

  /// Adds the scores of `labels` (int64 `[n]`), made for at most `chunk` of the states `[n, width]` at once.
  public init(_ states: Tensor, _ labels: Tensor, chunk: Int = 512, logits: (Tensor) -> Tensor) {
    for start in stride(from: 0, to: states.size(0), by: chunk) {
      let range = start..<min(start + chunk, states.size(0))
      let wanted = labels.narrowed(0, range), scores = logits(states.narrowed(0, range)).to(.float32)
      loss += Double(scores.crossEntropy(wanted, reduction: .sum).item())
      correct += Int((scores.argmax(1) .== wanted).to(.float32).sum().item())
      count += range.count
    }
  }
}

/// The capability of answering with a text: a language model.
public protocol Generates: TaskModel {
  /// The tokens that end an answer; training writes the first of them.
  var endTokens: [Int32] { get }
  /// Log-likelihood of each answer behind each row's text, divided by the answer's length in tokens:
  /// float32 `[rows, answers]`.
  func score(_ batch: DeviceBatch, answers: [[Int32]]) -> Tensor
  /// What the model writes behind each row's text.
  /// - Parameters:
  ///   - batch: the texts.
  ///   - settings: how it writes.
  ///   - decode: the text of tokens; needed for stop strings.
  ///   - observe: gets each row's tokens as they are written, but for the one that ends it; a beam search tells them
  ///     at its end.
  func generate(
    _ batch: DeviceBatch, _ settings: GenerationSettings, decode: (([Int32]) -> String)?,
    observe: ((_ row: Int, _ token: Int32) -> Void)?
  ) -> [GeneratedAnswer]
}

extension Generates {
  /// What the model writes, all at once and undecoded.
  public func generate(_ batch: DeviceBatch, _ settings: GenerationSettings) -> [GeneratedAnswer] {
    generate(batch, settings, decode: nil, observe: nil)
  }

  /// The likeliest next tokens of each row one by one, without the token that ends it.
  public func generate(_ batch: DeviceBatch, maxTokens: Int) -> [[Int32]] {
    generate(batch, GenerationSettings(maxTokens: maxTokens)).map(\.tokens)
  }
}
