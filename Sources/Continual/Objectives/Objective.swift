public import Streams
public import Torch

/// What a model is pretrained to do with a text: how the text becomes something to read and something to write.
public protocol Objective: Sendable {
  /// The ids of a document as they stand in a row, from those that the tokenizer gives.
  func document(_ ids: [Int32]) -> [Int32]
  /// Tokens of a row from which the model reads at most `maxTokens`.
  func rowLength(reading maxTokens: Int) -> Int
  /// Whether there is something in a row that it can ask for.
  func teaches(_ row: TokenizedExample) -> Bool
  /// The row with what the model reads in `tokens` and what it must write in `answer`.
  func pose(_ row: TokenizedExample, using generator: inout Generator) -> TokenizedExample
}

extension Objective {
  public func teaches(_ row: TokenizedExample) -> Bool { true }
}

/// The objectives by name.
public enum ObjectiveKind: String, Codable, Sendable, CaseIterable {
  /// Answer the examples of a task.
  case task
  /// Predict hidden tokens: encoders.
  case masked
  /// Predict the next token: decoders.
  case causal
  /// Predict what stood in spans that were taken out: encoder-decoders.
  case spans
  /// Write how a text goes on: encoder-decoders.
  case prefix
}
