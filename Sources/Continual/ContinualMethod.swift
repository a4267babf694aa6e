public import NN
public import Streams
public import Torch

/// A continual-learning algorithm as hooks on the one training loop.
///
/// A recipe holds a list of methods: plans, batches and gradients pass through them in list order, penalties add.
/// Every hook has a default, so a method writes only those it needs.
public protocol ContinualMethod: AnyObject, SendableMetatype {
  associatedtype Configuration: ConfigurationSection
  static var card: MethodCard { get }
  init(_ configuration: Configuration, learner: Learner) throws

  /// All that must survive a checkpoint. It changes in `willBegin`, `didUpdate` and `didEnd` only: an update that
  /// fails before the weights move (a loss that is not finite) must leave it as it was.
  var state: MethodState { get set }

  /// Whether all updates of an experience ask the same of the device, so that a recording of one stands for others
  /// (`TrainingSettings.recordsUpdates`): its hooks from `willForward` to `didUpdate` then only compute on the device, read no
  /// number of the step or the batch, and keep nothing between updates but tensors that they change in place.
  var isRecordable: Bool { get }

  /// Builds what the experience adds to the model (adapters), without values that depend on training: on resume
  /// it is called again for every experience so far, and the weights are restored afterwards.
  func prepare(_ experience: Experience, learner: Learner) throws
  /// Which data, how often, and what trains.
  func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) throws -> TrainingPlan
  /// Before the first step of an experience; not called on resume.
  func willBegin(_ experience: Experience, learner: Learner) throws
  /// Replay enters here.
  func compose(_ batch: Batch, at step: Step) throws -> Batch
  /// What the next forward pass reads, in training and in evaluation: choose adapters by the texts, and the classes that
  /// a row's prediction is taken from.
  func willForward(_ batch: inout DeviceBatch, learner: Learner)
  /// A term added to the loss of a micro-batch: a scalar in the graph, or nil. A mean over its rows or tokens, or a
  /// function of the weights: the trainer weighs micro-batches, and what each process has of one, by their share of the
  /// update, so that a sum over rows would shrink with their number.
  func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) throws -> Tensor?
  /// The forward pass of a micro-batch is done, its backward pass comes: what is known of the activations may spare some
  /// of it. `isWhole` says whether the micro-batch is all of the update.
  func willBackpropagate(isWhole: Bool, at step: Step) throws
  /// Gradients are complete and unclipped: mask or project them.
  func willUpdate(_ parameters: [Parameter], at step: Step) throws
  /// Weights have moved.
  func didUpdate(_ parameters: [Parameter], at step: Step) throws
  /// After the last step of an experience: importance, merging, exemplars.
  func didEnd(_ experience: Experience, learner: Learner) throws
  /// Wraps every prediction: choose a prompt, an adapter, a merged model. `experience` is the task label where
  /// the stream gives it at test time, else nil.
  func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result
}

extension ContinualMethod {
  public var isRecordable: Bool { false }
  public func prepare(_ experience: Experience, learner: Learner) throws {}
  public func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) throws -> TrainingPlan { plan }
  public func willBegin(_ experience: Experience, learner: Learner) throws {}
  public func compose(_ batch: Batch, at step: Step) throws -> Batch { batch }
  public func willForward(_ batch: inout DeviceBatch, learner: Learner) {}
  public func penalty(_ output: ModelOutput, _ batch: DeviceBatch, at step: Step) throws -> Tensor? { nil }
  public func willBackpropagate(isWhole: Bool, at step: Step) throws {}
  public func willUpdate(_ parameters: [Parameter], at step: Step) throws {}
  public func didUpdate(_ parameters: [Parameter], at step: Step) throws {}
  public func didEnd(_ experience: Experience, learner: Learner) throws {}
  public func predicting<Result>(_ experience: Int?, learner: Learner, _ body: () throws -> Result) throws -> Result {
    try body()
  }
}

/// What an experience trains on, how long, and which parameters move.
public struct TrainingPlan {
  /// One epoch's examples, before shuffling.
  public var examples: [TokenizedExample]
  public var epochs: Int
  public var isTrained: (Parameter) -> Bool
  /// Whether weights go back to the pretrained ones (and fresh heads) first.
  public var startsFromPretrained = false
  /// Whether layers run over padding in training too, because the method counts what they give for it.
  public var keepsPadding = false
  /// Whether the model after the experience is worth measuring.
  public var isEvaluated = true

  public init(examples: [TokenizedExample], epochs: Int, isTrained: @escaping (Parameter) -> Bool = { _ in true }) {
    (self.examples, self.epochs, self.isTrained) = (examples, epochs, isTrained)
  }
}

/// One optimizer update, as hooks see it.
public struct Step {
  /// 0 for the first update of the experience.
  public let index: Int
  /// Updates of the experience.
  public let total: Int
  public let experience: Experience
  public let learner: Learner

  /// Random numbers for one purpose at this step: the same on resume, with no state to keep.
  public func generator(_ purpose: String) -> Generator {
    learner.generator.derived("\(purpose).\(experience.index).\(index)")
  }

  /// The same for this process alone: rows of different processes are not dropped alike.
  public func ownGenerator(_ purpose: String) -> Generator {
    generator(purpose + (learner.processes.map { ".\($0.rank)" } ?? ""))
  }
}

/// Tensors, numbers and exemplars that a method keeps between steps and experiences.
public struct MethodState {
  /// Groups of tensors by name; a group that nobody wrote is empty.
  public var tensors: [String: [String: Tensor]] = [:]
  public var numbers: [String: Double] = [:]
  public var exemplars: [String: [TokenizedExample]] = [:]

  public init() {}

  public subscript(group: String) -> [String: Tensor] {
    get { tensors[group] ?? [:] }
    set { tensors[group] = newValue }
  }

  /// Bytes a method stores, as continual-learning papers count them.
  public var byteCount: Int {
    tensors.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.byteCount } }
      + exemplars.values.reduce(0) { $0 + $1.reduce(0) { $0 + 4 * $1.tokens.count } }
  }
}
