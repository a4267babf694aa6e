// Five tasks, a pretrained encoder, MIGU; then the accuracy matrix.
import Continual
import Foundation
import Methods
import Models
import Streams
import Tokenizers

let directory = URL(fileURLWithPath: ".models/minilm")
let stream = try TaskStream.meadow()
let tokenizer = try TokenizerLoader.load(from: directory)
let model = try ModelIndex.encoder(
  directory, pooling: .mean, dropout: 0.1, dtype: .bfloat16, device: .cpu, seed: 0)
let learner = Learner(model: model, stream: stream, device: .cpu, seed: 0) {
  TokenizedExperience($0, tokenizer: tokenizer, maxTokens: 128)
}
var settings = TrainingSettings()
settings.learningRate = 2e-4
let trainer = Trainer(
  learner: learner, methods: [MIGU(.init(), learner: learner)], settings: settings,
  evaluation: EvaluationSettings())
try trainer.run()
for row in trainer.progress.matrix.rows {
  print(row.map { String(format: "%6.1f", $0 ?? .nan) }.joined())
}
