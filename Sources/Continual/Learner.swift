public import NN
public import Streams
public import Torch

/// The model under training with what it knows of its stream: what methods and the trainer work on.
public final class Learner {
  public let model: any TaskModel
  public let device: Device
  /// Root of every random number of the run; derive from it by purpose.
  public let generator: Generator
  /// Whether the task label is given at prediction time.
  public let knowsTaskAtTest: Bool
  public private(set) var stream: TaskStream
  /// Position of the experience that trains now, or trained last; −1 before the first.
  public private(set) var current = -1
  /// Names of the parameters that ever trained: what a checkpoint must hold.
  public private(set) var touched: Set<String> = []
  /// The float32 weights before any training, by name; empty unless a method asked to keep them.
  public private(set) var pretrained: [String: Tensor] = [:]
  /// What the model is pretrained to do; nil where it learns tasks.
  public let objective: (any Objective)?
  /// The processes that train together with this one; nil where it is alone.
  public let processes: Processes?
  /// How the trainer measures; a method that measures does it in the same way.
  public internal(set) var evaluation = EvaluationSettings()
  /// Shows a batch to the trainer's methods before a forward pass that is not the trainer's own.
  var announce: (inout DeviceBatch) -> Void = { _ in }
  /// Called now and then in a method's long work between two updates: throws where the run is to stop.
  public internal(set) var pause: () throws -> Void = {}
  private let data: (Experience) -> TokenizedExperience
  private let decode: ([Int32]) -> String
  private let encode: (String) -> [Int32]
  private var tokenized: [Int: TokenizedExperience] = [:]

  /// A model before its first experience. All randomness comes from `seed`; `data` tokenizes an experience and is called
  /// once for each; `decode` turns the tokens that a language model wrote into text, `encode` words into tokens.
  public init(
    model: any TaskModel, stream: TaskStream, device: Device, seed: UInt64, objective: (any Objective)? = nil,
    processes: Processes? = nil,
    decode: @escaping ([Int32]) -> String = { _ in preconditionFailure("Learner: made without decode") },
    encode: @escaping (String) -> [Int32] = { _ in preconditionFailure("Learner: made without encode") },
    data: @escaping (Experience) -> TokenizedExperience
  ) {
    (self.model, self.stream, self.device, self.data) = (model, stream, device, data)
    (self.objective, self.processes, self.decode, self.encode) = (objective, processes, decode, encode)
    generator = Generator(seed: seed)
    knowsTaskAtTest = stream.declaration.hasTaskLabelAtTest
    // A head's initial values depend on its name and the seed; making them all now lets unseen experiences be
    // evaluated, with a head that knows nothing.
    if let model = model as? any Classifies {
      for experience in stream.experiences { model.heads.add(experience.classes) }
    }
  }

  public var parameters: ParameterStore { model.parameters }
  /// The model of methods whose card requires heads.
  public var classifier: any Classifies {
    guard let classifier = model as? any Classifies else {
      preconditionFailure("classifier: \(type(of: model)) has no heads")
    }
    return classifier
  }
  public var seen: [Experience] { Array(stream.experiences.prefix(current + 1)) }

  public func data(of experience: Experience) -> TokenizedExperience {
    if let known = tokenized[experience.index] { return known }
    let made = data(experience)
    tokenized[experience.index] = made
    return made
  }

  /// Moves on to an experience.
  public func begin(_ experience: Experience) { current = max(current, experience.index) }

  /// Freezes and frees parameters as the plan says.
  public func apply(_ plan: TrainingPlan) {
    for parameter in parameters.all {
      parameter.isTrainable = plan.isTrained(parameter)
      if parameter.isTrainable { touched.insert(parameter.name) }
    }
  }

  /// Marks parameters as changed outside training, so that checkpoints hold them.
  public func touch(_ names: some Sequence<String>) { touched.formUnion(names) }

  // MARK: Processes

  /// What this process reads of a batch that all train on: every n-th row of n processes.
  func share(of batch: Batch) -> Batch {
    guard let processes else { return batch }
    return Batch(batch.examples.enumerated().filter { $0.offset % processes.count == processes.rank }.map(\.element))
  }

  /// The sum of a float32 tensor over the processes that train together; the tensor itself where there is one only.
  public func summed(_ x: Tensor) throws -> Tensor {
    guard let processes else { return x }
    let sum = x.detached().to(.float32).clone()
    try processes.sum(sum)
    return sum
  }

  /// The sums of numbers over the processes that train together.
  func summed(_ values: [Double]) throws -> [Double] {
    guard let processes, !values.isEmpty else { return values }
    let sums = Tensor(values, shape: [values.count])
    try processes.sum(sums)
    return sums.scalars()
  }

  // MARK: Pretrained weights

  /// Keeps a copy of the weights before any training, for methods that return to them; adapters go back to their start.
  public func keepPretrained() {
    guard pretrained.isEmpty else { return }
    pretrained = parameters.snapshot { $0.role != .adapter }
  }
  public func restorePretrained() {
    precondition(!pretrained.isEmpty, "restorePretrained: keepPretrained was not called before training")
    parameters.restore(pretrained)
    for parameter in parameters.all where parameter.role == .adapter { parameter.reset() }
  }

  // MARK: Batches

  /// Classes among which a row of an experience is predicted in training: the experience's own where the task
  /// label is given at test time, else every class seen so far.
  public func candidates(of experience: Int) -> [Int] {
    if knowsTaskAtTest { return stream.experiences[experience].classes }
    let last = max(current, experience)
    var known = Set<Int>()
    return stream.experiences.prefix(last + 1).flatMap(\.classes).filter { known.insert($0).inserted }
  }

  /// The name of a global class as a language model writes it.
  func answer(of target: Int) -> [Int32] {
    for experience in stream.experiences {
      if let place = experience.classes.firstIndex(of: target) { return data(of: experience).options[place] }
    }
    preconditionFailure("answer(of: \(target)): no experience has this class")
  }

  /// The text of tokens that a language model wrote.
  func text(of tokens: [Int32]) -> String { decode(tokens) }

  /// The tokens of words, special tokens left out.
  public func tokens(of words: String) -> [Int32] { encode(words) }

  /// What the model reads and must write of a batch where it is pretrained; the batch itself where it learns tasks.
  ///
  /// What is drawn for an example depends on `draw` and on the example's id; without `draw` it is always the same.
  public func posed(_ batch: Batch, draw: Generator? = nil) -> Batch {
    guard let objective else { return batch }
    let draw = draw ?? generator.derived("posed")
    return Batch(
      batch.examples.map { example in
        var random = draw.derived(example.id)
        return objective.pose(example, using: &random)
      })
  }

  /// The batch on the device, shown to the trainer's methods: for a forward pass that is not the trainer's own.
  public func announced(_ batch: Batch) -> DeviceBatch {
    var inputs = deviceBatch(batch)
    announce(&inputs)
    return inputs
  }

  /// Integers to tensors. Without `withAnswers` only the texts are there, for a model that is to answer. With `roundsLength`
  /// padding brings the longest text to one of few lengths, so that forms of batches come again.
  public func deviceBatch(_ batch: Batch, withAnswers: Bool = true, roundsLength: Bool = false) -> DeviceBatch {
    let rows = batch.rows, layout = withAnswers ? model.answerLayout : .none
    // Behind the text only what writes the answer is read: its last token writes nothing.
    let sequences = batch.examples.map {
      layout == .behind && $0.places.isEmpty ? $0.tokens + $0.answer.dropLast() : $0.tokens
    }
    let lengths = sequences.map(\.count), longest = lengths.max() ?? 0
    let length = roundsLength ? max(longest, min(Self.rounded(longest), model.maxLength)) : longest
    var tokens = [Int64](repeating: 0, count: rows * length)
    var segments = tokens
    var mask = [Float](repeating: 0, count: rows * length)
    for (row, example) in batch.examples.enumerated() {
      for (column, token) in sequences[row].enumerated() {
        let place = row * length + column
        tokens[place] = Int64(token)
        mask[place] = 1
        if column >= example.firstLength { segments[place] = 1 }
      }
    }
    let labels = labels(batch, layout, length)
    let experiences = batch.examples.map(\.experience)
    let sets = knowsTaskAtTest ? Set(experiences).sorted() : [current < 0 ? experiences.max() ?? 0 : current]
    return DeviceBatch(
      tokens: Tensor(tokens, shape: [rows, length], device: device),
      segments: Tensor(segments, shape: [rows, length], device: device),
      mask: lengths.allSatisfy { $0 == length } ? nil : Tensor(mask, shape: [rows, length], device: device),
      lengths: lengths, documents: documents(batch, length), labels: labels?.tokens, labelPlaces: labels?.places,
      targets: batch.examples.map(\.target), experiences: experiences,
      candidates: experiences.map { knowsTaskAtTest ? sets.firstIndex(of: $0) ?? 0 : 0 },
      candidateSets: sets.map(candidates(of:)))
  }

  /// A length that is at least this one, longer by less than a quarter, or by seven.
  static func rounded(_ length: Int) -> Int {
    var step = 8
    while 8 * step <= length { step *= 2 }
    return (length + step - 1) / step * step
  }

  /// What each position must write; `length` is that of the text with the answer behind it.
  private func labels(
    _ batch: Batch, _ layout: AnswerLayout, _ length: Int
  ) -> (tokens: Tensor, places: Tensor)? {
    let width: Int
    switch layout {
    case .none: return nil
    case .apart: width = batch.examples.map(\.answer.count).max() ?? 0
    case .behind, .within: width = length
    }
    var labels = [Int64](repeating: -100, count: batch.rows * width)
    var places: [Int64] = []
    for (row, example) in batch.examples.enumerated() {
      // The text's last token writes the answer's first.
      let start = row * width + (layout == .behind ? example.tokens.count - 1 : 0)
      for (index, token) in example.answer.enumerated() {
        let place = example.places.isEmpty ? start + index : row * width + Int(example.places[index])
        labels[place] = Int64(token)
        places.append(Int64(place))
      }
    }
    return (Tensor(labels, shape: [batch.rows, width], device: device), Tensor(places, device: device))
  }

  /// Which document each token belongs to, where some row holds several.
  private func documents(_ batch: Batch, _ length: Int) -> PackedDocuments? {
    guard batch.examples.contains(where: { $0.documents.count > 1 }) else { return nil }
    var indices = [Int64](repeating: -1, count: batch.rows * length)
    var positions = [Int64](repeating: 0, count: batch.rows * length)
    for (row, example) in batch.examples.enumerated() {
      var place = row * length
      let lengths = example.documents.isEmpty ? [Int32(example.tokens.count)] : example.documents
      for (index, count) in lengths.enumerated() {
        for position in 0..<Int(count) {
          indices[place] = Int64(index)
          positions[place] = Int64(position)
          place += 1
        }
      }
    }
    let shape = [batch.rows, length]
    return PackedDocuments(
      indices: Tensor(indices, shape: shape, device: device), positions: Tensor(positions, shape: shape, device: device)
    )
  }
}
