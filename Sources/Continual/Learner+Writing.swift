import NN
public import Streams
import Torch

extension Learner {
  /// What a language model answers to one example.
  /// - Parameters:
  ///   - example: what is asked.
  ///   - methods: those that it is trained with.
  ///   - settings: how it writes.
  ///   - observe: gets the tokens as they are written, but for the one that ends the answer; of a beam search at its end.
  public func write(
    _ example: TokenizedExample, methods: [any ContinualMethod], settings: EvaluationSettings,
    observe: @escaping (Int32) -> Void
  ) throws -> String {
    guard let model = model as? any Generates else {
      preconditionFailure("write: \(type(of: model)) does not generate")
    }
    var written = ""
    try batches([example], methods: methods, settings: settings) { _ in
      let batch = announced(Batch([example]), withAnswers: false, to: methods)
      let generation = settings.generation(of: [example], draw: generator.derived("written"))
      let answers = model.generate(batch, generation, decode: text(of:)) { _, token in observe(token) }
      written = answers.first.map { $0.text ?? text(of: $0.tokens) } ?? ""
    }
    return written
  }
}
