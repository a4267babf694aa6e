// Times Jay's own loop on batches that the PyTorch peer gets too. `Benchmarks/run` starts both in turn.
//   benchmark prepare DATA FAMILY FILE                  real cl15 texts, tokenized (FAMILY: bert, t5 or llama)
//   benchmark train FILE MODEL BATCH UPDATES METHOD…    prints one JSON line: tokens/s, peak memory
//       METHOD lazy is MIGU lazily, padded is fine-tuning that runs over padding, and float32 its precision for all
//   benchmark evaluate FILE MODEL                       likewise, of an encoder
//   benchmark tasks FILE MODEL BATCH UPDATES TASKS METHOD…   milliseconds an update, in each of so many experiences
//   benchmark checkpoint FILE MODEL FOLDER              seconds that a checkpoint takes to be written and to be read
//   benchmark tokenize TEXTS TOKENIZER                  tokens/s over the texts of a JSON file, on all cores
//   benchmark products                                  milliseconds of single products of bfloat16, and libtorch's
//   benchmark generation FOLDER DTYPE                   one timed turn for each line of the standard input
import Continual
import Evaluation
import Foundation
import Methods
import Models
import NN
import Streams
import Tokenizers
import Torch

struct Result: Encodable {
  var tokensPerSecond: Double
  var seconds: Double
  var tokens: Int
  var peakBytes: Int
  var loss: Double?
}

/// Tells when training began and ended, warm-up apart.
final class Stopwatch: TrainingObserver {
  let warmup: Int
  var start = ContinuousClock.now
  var seconds = 0.0
  var tokens = 0
  var updates = 0
  var loss = 0.0
  init(warmup: Int) { self.warmup = warmup }
  // Only the second experience is measured: MIGU trains the first one plainly.
  func willTrain(_ experience: Experience, updates: Int, from step: Int) { (self.updates, tokens) = (0, 0) }
  func didCompute(_ report: StepReport) {
    updates += 1
    if updates == warmup { start = .now } else if updates > warmup { tokens += report.tokens }
    loss = report.loss.item()
    seconds = elapsed(since: start)
  }
  func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
  func willEvaluate(_ experience: Experience) {}
  func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {}
  func didEnd(_ trainer: Trainer) throws {}
  func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
}

func elapsed(since start: ContinuousClock.Instant) -> Double {
  let duration = start.duration(to: .now).components
  return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
}

func peakBytes() -> Int {
  let status =
    FileManager.default.contents(atPath: "/proc/self/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
}

/// Texts of four tasks of different lengths, in random order: pairs for encoders, else the benchmark's prompts and answers.
func rows(_ data: URL, family: String) throws -> [TokenizedExample] {
  let folder = data.appendingPathComponent("cl15"), tasks = ["agnews", "rte", "sst2", "boolqa"]
  let stream = try CL15.stream(folder, tasks: tasks, form: family == "bert" ? .pair : .benchmark, holdout: nil)
    .capped(Caps(train: 400, validation: nil, test: 1), seed: 0)
  let tokenizer = try TokenizerLoader.load(from: data.appendingPathComponent("tokenizers/\(family)"))
  let all = stream.experiences.flatMap { experience in
    if family == "bert" { return TokenizedExperience(experience, tokenizer: tokenizer, maxTokens: 128).train }
    let form = AnswerForm(maxTokens: 192, maxAnswerTokens: 12, end: family == "t5" ? 1 : 2)
    return TokenizedExperience(experience, tokenizer: tokenizer, form: form).train
  }
  var generator = Generator(seed: 7)
  return all.permuted(using: &generator)
}

func examples(_ file: String) throws -> [TokenizedExample] {
  let read = try JSONDecoder().decode([TokenizedExample].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
  return read.map { example in
    var example = example
    example.experience = 0
    return example
  }
}

/// `first`: what the first task has in place of the examples of all others.
func learner(
  _ examples: [TokenizedExample], _ model: String, tasks: Int = 2, first: [TokenizedExample]? = nil,
  dtype: DType = .bfloat16
) throws -> Learner {
  let classes = (examples.map(\.target).max() ?? 0) + 1
  let empty = Dataset(name: "mixed", labels: (0..<classes).map(String.init), examples: [])
  let toy = (1...tasks).map { Experience(name: "\($0)", train: empty, test: empty) }
  let model = try ModelIndex.load(
    URL(fileURLWithPath: model), for: .tasks(pooling: .mean, dropout: 0.1),
    ModelIndex.Loading(dtype: dtype, device: .cpu, seed: 0, startsFresh: true))
  return Learner(
    model: model, stream: TaskStream(name: "bench", sharesLabels: true, experiences: toy), device: .cpu, seed: 0
  ) { TokenizedExperience(train: $0.name == "1" ? first ?? examples : examples, validation: [], test: []) }
}

/// Fine-tuning whose layers run over padding: what leaving it out saves.
final class Padded: ContinualMethod {
  static let card = MethodCard(
    name: "padded", summary: "fine-tuning that runs over padding", family: .reference,
    paper: FineTune.card.paper)
  var state = MethodState()
  init(_ configuration: NoConfiguration = .init(), learner: Learner) {}
  func plan(_ plan: TrainingPlan, for experience: Experience, learner: Learner) -> TrainingPlan {
    var plan = plan
    plan.keepsPadding = true
    return plan
  }
}

func method(_ name: String, _ learner: Learner) throws -> any ContinualMethod {
  if name == "lazy" {
    var configuration = MIGU.Configuration()
    configuration.lazy = true
    return MIGU(configuration, learner: learner)
  }
  if name == Padded.card.name { return Padded(learner: learner) }
  guard let type = methodTypes.first(where: { $0.card.name == name }) else { fatalError("no method \(name)") }
  func make<M: ContinualMethod>(_ type: M.Type) throws -> any ContinualMethod {
    try M(M.Configuration(), learner: learner)
  }
  return try make(type)
}

/// Training without shuffling, and no evaluation beyond what every run does.
func settings(batch: Int, updates: Int) -> (TrainingSettings, EvaluationSettings) {
  var training = TrainingSettings(), evaluation = EvaluationSettings()
  (training.batchSize, training.maxUpdates, training.epochs) = (batch, updates, 100)
  training.shuffle = false
  (evaluation.future, evaluation.validation) = (false, 0)
  return (training, evaluation)
}

func emit(_ result: Result) throws {
  print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
}

let arguments = CommandLine.arguments
Runtime.threads = ProcessInfo.processInfo.environment["THREADS"].flatMap { Int($0) } ?? 2
Runtime.keepFreedMemory()
switch arguments.dropFirst().first {
case "prepare":
  let rows = try rows(URL(fileURLWithPath: arguments[2]), family: arguments[3])
  try JSONEncoder().encode(rows).write(to: URL(fileURLWithPath: arguments[4]))
case "train":
  let warmup = 3, updates = Int(arguments[5]) ?? 0
  // What is timed has not been seen before, as the peer's has not.
  let examples = try examples(arguments[2]), words = arguments.dropFirst(6)
  let learner = try learner(
    examples, arguments[3], first: examples.reversed(), dtype: words.contains("float32") ? .float32 : .bfloat16)
  let (settings, evaluation) = settings(batch: Int(arguments[4]) ?? 8, updates: updates + warmup)
  let watch = Stopwatch(warmup: warmup)
  let methods = try words.filter { $0 != "float32" }.map { try method($0, learner) }
  let trainer = Trainer(
    learner: learner, methods: methods, settings: settings, evaluation: evaluation, observer: watch)
  try trainer.run()
  try emit(
    Result(
      tokensPerSecond: Double(watch.tokens) / watch.seconds, seconds: watch.seconds, tokens: watch.tokens,
      peakBytes: peakBytes(), loss: watch.loss))
case "evaluate":
  let examples = try examples(arguments[2])
  let learner = try learner(examples, arguments[3])
  let settings = EvaluationSettings()
  _ = try learner.predict(Array(examples.prefix(64)), methods: [], settings: settings)
  let start = ContinuousClock.now
  _ = try learner.predict(examples, methods: [], settings: settings)
  let seconds = elapsed(since: start), tokens = examples.reduce(0) { $0 + $1.tokens.count + $1.answer.count }
  try emit(
    Result(
      tokensPerSecond: Double(tokens) / seconds, seconds: seconds, tokens: tokens, peakBytes: peakBytes(), loss: nil))
case "tasks":
  try timeTasks(arguments)
case "checkpoint":
  try timeCheckpoint(arguments)
case "tokenize":
  try timeTokenizer(arguments)
case "products":
  timeProducts()
case "generation":
  try serveGeneration(folder: arguments[2], dtype: arguments[3] == "bfloat16" ? .bfloat16 : .float32)
default:
  fatalError("benchmark prepare|train|evaluate|tasks|checkpoint|tokenize|products|generation …")
}
