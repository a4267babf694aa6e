import Continual
import Foundation
import NN
import Streams
import Tokenizers
import Torch

/// Does what a closure says after every update; nothing else.
final class AfterUpdates: TrainingObserver {
  private let body: (Trainer, any Optimizer) throws -> Void
  init(_ body: @escaping (Trainer, any Optimizer) throws -> Void) { self.body = body }
  func willTrain(_ experience: Experience, updates: Int, from step: Int) {}
  func didCompute(_ report: StepReport) {}
  func didUpdate(_ trainer: Trainer, _ optimizer: any Optimizer) throws { try body(trainer, optimizer) }
  func willEvaluate(_ experience: Experience) {}
  func didEvaluate(_ experience: Experience, _ progress: TrainingProgress) {}
  func didEnd(_ trainer: Trainer) throws {}
  func willStop(_ trainer: Trainer, _ optimizer: any Optimizer) throws {}
}

/// The median milliseconds of an update in each experience, all of which have the same examples.
func timeTasks(_ arguments: [String]) throws {
  let batch = Int(arguments[4]) ?? 8, updates = Int(arguments[5]) ?? 10, tasks = Int(arguments[6]) ?? 15
  let learner = try learner(try examples(arguments[2]), arguments[3], tasks: tasks)
  let methods = try arguments.dropFirst(7).map { try method($0, learner) }
  var times = [[Double]](repeating: [], count: tasks), last = ContinuousClock.now
  let observer = AfterUpdates { trainer, _ in
    // The first update of an experience has what lies between experiences in it.
    if trainer.progress.step > 1 { times[trainer.progress.experience].append(elapsed(since: last) * 1000) }
    last = .now
  }
  let (training, evaluation) = settings(batch: batch, updates: updates)
  try Trainer(learner: learner, methods: methods, settings: training, evaluation: evaluation, observer: observer).run()
  let medians = times.map { $0.sorted()[$0.count / 2] }
  print(String(decoding: try JSONEncoder().encode(medians), as: UTF8.self))
}

/// A checkpoint of fine-tuning by AdamW, on the disk of the folder.
func timeCheckpoint(_ arguments: [String]) throws {
  let examples = try examples(arguments[2]), folder = URL(fileURLWithPath: arguments[4])
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  var writing = 0.0
  let observer = AfterUpdates { trainer, optimizer in
    guard trainer.progress.experience == 1, trainer.progress.step == 2 else { return }
    let start = ContinuousClock.now
    try Checkpoint.write(trainer, optimizer: optimizer, to: folder)
    writing = elapsed(since: start)
  }
  let (training, evaluation) = settings(batch: 8, updates: 2)
  func trainer() throws -> Trainer {
    let learner = try learner(examples, arguments[3])
    return Trainer(
      learner: learner, methods: [try method("finetune", learner)], settings: training, evaluation: evaluation,
      observer: observer)
  }
  try trainer().run()
  let again = try trainer(), start = ContinuousClock.now
  try Checkpoint.newest(in: folder).checkpoint?.restore(again)
  let times = ["write": writing, "read": elapsed(since: start)]
  print(String(decoding: try JSONEncoder().encode(times), as: UTF8.self))
}

/// Token ids of all texts of a file, a JSON list, on all cores.
func timeTokenizer(_ arguments: [String]) throws {
  let texts = try JSONDecoder().decode([String].self, from: Data(contentsOf: URL(fileURLWithPath: arguments[2])))
    .map { ($0, nil as String?) }
  let tokenizer = try TokenizerLoader.load(from: URL(fileURLWithPath: arguments[3]))
  _ = tokenizer.encodeAll(Array(texts.prefix(1000)))
  let start = ContinuousClock.now
  let tokens = tokenizer.encodeAll(texts).reduce(0) { $0 + $1.ids.count }
  let seconds = elapsed(since: start)
  print(#"{"tokensPerSecond": \#(Double(tokens) / seconds), "tokens": \#(tokens)}"#)
}
