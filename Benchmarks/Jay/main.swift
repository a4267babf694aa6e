// Times Jay's own loop on batches that the PyTorch peer gets too. `Benchmarks/run` starts both in turn.
//   benchmark prepare DATA MODEL FILE          real cl15 texts, tokenized, in batches of 8
//   benchmark train FILE MODEL METHOD UPDATES  prints one JSON line: tokens/s, peak memory
//   benchmark evaluate FILE MODEL              likewise
//   benchmark generation FOLDER DTYPE          one timed turn for each line of the standard input
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
    let elapsed = start.duration(to: .now)
    seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }
  func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
  func willEvaluate(_ experience: Experience) {}
  func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {}
  func didEnd(_ trainer: Trainer) throws {}
  func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
}

func peakBytes() -> Int {
  let status =
    FileManager.default.contents(atPath: "/proc/self/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
}

/// Four tasks with texts of different lengths, two classes kept apart by task.
func stream(_ data: URL) throws -> TaskStream {
  try CL15.stream(data.appendingPathComponent("cl15"), tasks: ["agnews", "rte", "sst2", "boolqa"], holdout: nil)
    .capped(Caps(train: 400, validation: nil, test: 500), seed: 0)
}

func examples(_ file: String) throws -> [TokenizedExample] {
  let read = try JSONDecoder().decode([TokenizedExample].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
  return read.map {
    TokenizedExample(id: $0.id, tokens: $0.tokens, firstLength: $0.firstLength, target: $0.target, experience: 0)
  }
}

func learner(_ examples: [TokenizedExample], _ model: String) throws -> Learner {
  let classes = (examples.map(\.target).max() ?? 0) + 1
  let empty = Dataset(name: "mixed", labels: (0..<classes).map(String.init), examples: [])
  let toy = ["first", "second"].map { Experience(name: $0, train: empty, test: empty) }
  let encoder = try ModelIndex.encoder(
    URL(fileURLWithPath: model), pooling: .mean, dropout: 0.1, dtype: .bfloat16, device: .cpu, seed: 0)
  return Learner(
    model: encoder, stream: TaskStream(name: "bench", sharesLabels: true, experiences: toy), device: .cpu, seed: 0
  ) { _ in TokenizedExperience(train: examples, validation: [], test: []) }
}

func method(_ name: String, _ learner: Learner) throws -> any ContinualMethod {
  guard let type = methodTypes.first(where: { $0.card.name == name }) else { fatalError("no method \(name)") }
  func make<M: ContinualMethod>(_ type: M.Type) throws -> any ContinualMethod {
    try M(M.Configuration(), learner: learner)
  }
  return try make(type)
}

func emit(_ result: Result) throws {
  print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
}

let arguments = CommandLine.arguments
Runtime.threads = ProcessInfo.processInfo.environment["THREADS"].flatMap { Int($0) } ?? 2
Runtime.keepFreedMemory()
switch arguments.dropFirst().first {
case "prepare":
  let tokenizer = try TokenizerLoader.load(from: URL(fileURLWithPath: arguments[3]))
  let tasks = try stream(URL(fileURLWithPath: arguments[2]))
  let all = tasks.experiences.flatMap { TokenizedExperience($0, tokenizer: tokenizer, maxTokens: 128).train }
  var generator = Generator(seed: 7)
  try JSONEncoder().encode(all.permuted(using: &generator)).write(to: URL(fileURLWithPath: arguments[4]))
case "train":
  let examples = try examples(arguments[2])
  let learner = try learner(examples, arguments[3])
  var settings = TrainingSettings()
  (settings.batchSize, settings.shuffle, settings.maxUpdates) = (8, false, (Int(arguments[5]) ?? 60) + 10)
  settings.epochs = 10
  let watch = Stopwatch(warmup: 10)
  var evaluation = EvaluationSettings()
  evaluation.future = false
  let trainer = Trainer(
    learner: learner, methods: [try method(arguments[4], learner)], settings: settings, evaluation: evaluation,
    observer: watch)
  try trainer.run()
  try emit(
    Result(
      tokensPerSecond: Double(watch.tokens) / watch.seconds, seconds: watch.seconds, tokens: watch.tokens,
      peakBytes: peakBytes(), loss: watch.loss))
case "evaluate":
  let examples = try examples(arguments[2])
  let learner = try learner(examples, arguments[3])
  _ = try learner.predict(Array(examples.prefix(64)), methods: [], settings: EvaluationSettings())
  let start = ContinuousClock.now
  _ = try learner.predict(examples, methods: [], settings: EvaluationSettings())
  let elapsed = start.duration(to: .now)
  let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  let tokens = examples.reduce(0) { $0 + $1.tokens.count }
  try emit(
    Result(
      tokensPerSecond: Double(tokens) / seconds, seconds: seconds, tokens: tokens, peakBytes: peakBytes(), loss: nil))
case "generation":
  try serveGeneration(folder: arguments[2], dtype: arguments[3] == "bfloat16" ? .bfloat16 : .float32)
default:
  fatalError("benchmark prepare|train|evaluate|generation …")
}
