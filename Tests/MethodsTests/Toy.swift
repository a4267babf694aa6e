import Continual
import Evaluation
import NN
import Streams
import TestSupport
import Torch

/// Small runs whose data, length and optimizer a test chooses; tasks have three classes each and a head each.
struct Toy {
  let trainer: Trainer
  let recorder = Recorder()

  /// - Parameters:
  ///   - train: the examples of each task, `validation` likewise, as `Toy.examples` makes them.
  ///   - knowsTask: whether predictions are told their task.
  ///   - sharesLabels: whether all tasks have the same three classes.
  ///   - objective: what the model is pretrained to do.
  init(
    _ model: any TaskModel, train: [[TokenizedExample]], validation: [[TokenizedExample]] = [], knowsTask: Bool = true,
    sharesLabels: Bool = false, objective: (any Objective)? = nil,
    settings change: (inout TrainingSettings) -> Void = { _ in },
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws {
    let data = { (name: String) in Dataset(name: name, labels: ["0", "1", "2"], examples: []) }
    let stream = TaskStream(
      name: "toy", declaration: StreamDeclaration(hasTaskLabelAtTest: knowsTask), sharesLabels: sharesLabels,
      experiences: train.indices.map { Experience(name: "task \($0)", train: data("\($0)"), test: data("\($0)")) })
    let learner = Learner(model: model, stream: stream, device: .cpu, seed: 0, objective: objective) { experience in
      let index = experience.index
      return TokenizedExperience(
        train: train[index], validation: index < validation.count ? validation[index] : [], test: [])
    }
    var settings = TrainingSettings()
    (settings.epochs, settings.shuffle, settings.batchSize) = (2, false, 4)
    (settings.learningRate, settings.precision) = (1e-2, .fp32)
    change(&settings)
    var evaluation = EvaluationSettings()
    (evaluation.future, evaluation.validation) = (false, 0)
    trainer = Trainer(
      learner: learner, methods: try methods(learner), settings: settings, evaluation: evaluation, observer: recorder)
  }

  var learner: Learner { trainer.learner }
  var parameters: ParameterStore { learner.parameters }

  /// Examples of random tokens, all of one length, so that nothing is padded.
  static func examples(_ experience: Int, count: Int = 8, seed: UInt64, length: Int = 6) -> [TokenizedExample] {
    var generator = Generator(seed: seed)
    return (0..<count).map { index in
      TokenizedExample(
        id: "\(experience).\(index)", tokens: (0..<length).map { _ in Int32(5 + generator.next() % 90) },
        firstLength: length, target: experience * 3 + Int(generator.next() % 3), experience: experience)
    }
  }

  /// The pooled features of some examples as `methods` predict them.
  func features(_ examples: [TokenizedExample], through method: (any ContinualMethod)? = nil) throws -> Tensor {
    let batch = learner.deviceBatch(Batch(examples))
    let body = { inference { learner.classifier.features(batch, .evaluation) } }
    return try method?.predicting(nil, learner: learner, body) ?? body()
  }
}

/// One linear layer over token embeddings, its outputs averaged over the tokens: small enough to compute by hand.
final class WideModel: Classifies {
  let attentionHeads = 1
  var featureWidth: Int { wide.outputs }
  let parameters = ParameterStore()
  let heads: HeadBank
  let maxLength = 64
  let words: Embedding, wide: Linear

  /// - Parameter scale: multiplies the layer's input.
  init(width: Int = 1024, bias: Bool = true, scale: Double = 1) {
    let scope = Scope(store: parameters, dtype: .float32, device: .cpu, seed: 5)
    words = Embedding(100, 16, initializer: .normal(deviation: 1), in: scope / "words")
    wide = Linear(16, width, bias: bias, in: scope / "wide")
    heads = HeadBank(width: width, dropout: 0, in: scope.fresh(.head, seed: 6))
    words.weight.assign(words.weight.master * scale)
  }

  func features(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { wide(words(batch.tokens), mode).mean(1) }

  /// Σ|x·Wᵀ + b| over all tokens of some examples, in plain arithmetic.
  func magnitudes(_ examples: [TokenizedExample]) -> [Double] {
    let table = words.weight.master.values(), weight = wide.weight.master.values()
    let bias = wide.bias?.master.values() ?? [Float](repeating: 0, count: wide.outputs)
    var sums = bias.map { _ in 0.0 }
    for token in examples.flatMap(\.tokens) {
      for row in sums.indices {
        var output = Double(bias[row])
        for column in 0..<16 {
          output += Double(table[Int(token) * 16 + column]) * Double(weight[row * 16 + column])
        }
        sums[row] += abs(output)
      }
    }
    return sums
  }
}

/// Calls back at the end of each experience; trains the first one not at all where told so.
final class Watcher: ContinualMethod {
  static let card = MethodCard(name: "watcher", summary: "watches", family: .reference, paper: Citation("none"))
  var state = MethodState()
  var onEnd: (Experience) throws -> Void = { _ in }
  var skipsFirst = false

  init(_ configuration: NoConfiguration, learner: Learner) {}

  convenience init(
    _ learner: Learner, skipsFirst: Bool = false, onEnd: @escaping (Experience) throws -> Void = { _ in }
  ) {
    self.init(NoConfiguration(), learner: learner)
    (self.onEnd, self.skipsFirst) = (onEnd, skipsFirst)
  }

  func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan
    if skipsFirst, experience.index == 0 { plan.epochs = 0 }
    return plan
  }
  func didEnd(_ experience: Experience, learner: Learner) throws { try onEnd(experience) }
}

/// The configuration with some values changed.
func configured<C: ConfigurationSection>(_ type: C.Type = C.self, _ change: (inout C) -> Void) -> C {
  var configuration = C()
  change(&configuration)
  return configuration
}

/// Whether two sets of named tensors hold the same bits.
func areSame(_ x: [String: Tensor], _ y: [String: Tensor]) -> Bool {
  x.keys == y.keys && x.allSatisfy { name, value in y[name].map { $0.values() == value.values() } ?? false }
}

/// Rows of dimension 0 in which two tensors differ.
func changedRows(_ before: Tensor, _ after: Tensor) -> Set<Int> {
  let x = before.values(), y = after.values(), width = x.count / before.size(0)
  return Set(x.indices.filter { x[$0] != y[$0] }.map { $0 / width })
}

/// The indices of the `count` largest values.
func topRows(_ values: [Double], _ count: Int) -> Set<Int> {
  Set(values.indices.sorted { values[$0] > values[$1] }.prefix(count))
}
