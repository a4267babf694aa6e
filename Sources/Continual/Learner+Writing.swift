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
    let written = try write([example], methods: methods, settings: settings, isShared: false) { _, token in
      observe(token)
    }
    return (written.first ?? nil) ?? ""
  }
}
