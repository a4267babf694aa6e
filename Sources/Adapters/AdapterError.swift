public import Foundation

/// Adapters that cannot be attached.
public enum AdapterError: LocalizedError, CustomStringConvertible, Equatable {
  /// Ends of names that no layer has (none where no targets were given), the setting they stand in, and the layers there
  /// are.
  case noTarget([String], key: String, layers: [String])
  /// A layer that has this adapter already.
  case taken(String)
  /// A layer of a head for words, where whole texts are adapted.
  case readsTokens(String)
  /// A model that reads nothing but tokens.
  case noPrompts
  /// A model that reads no prompt behind its texts.
  case onlyInFront
  /// A prompt behind which the longest text does not fit.
  case noRoom(prompt: Int, text: Int, limit: Int)
  /// A prompt in front of rows that hold several documents.
  case packed

  public var description: String {
    switch self {
    case .noTarget(let suffixes, let key, let layers):
      (suffixes.isEmpty
        ? "\(key) is empty."
        : "no layer's name ends in \(suffixes.map { "'\($0)'" }.joined(separator: " or ")).")
        + " Set \(key) to the ends of some of these names, or to [all]: \(layers.joined(separator: ", "))."
    case .taken(let adapter):
      "two methods of the recipe make the adapter '\(adapter)'. Keep one of them, or give them different targets."
    case .readsTokens(let layer):
      "the layer '\(layer)' reads single tokens, and this method adapts each text in its own way. Leave it out of targets."
    case .noPrompts: "this model has no place for soft prompts or prefixes. Choose another method, or another model."
    case .onlyInFront:
      "this model reads prompts in front of its texts only; behind them, an encoder-decoder (T5) does. Choose such a model, "
        + "or another method."
    case .noRoom(let prompt, let text, let limit):
      "the model reads \(limit) tokens, and a prompt of \(prompt) leaves no room for a text of \(text). "
        + "Set training.maxTokens to \(Swift.max(0, limit - prompt)) or less (a language model's answer counts too), "
        + "or shorten the prompt."
    case .packed:
      "a soft prompt stands in front of one text, and the rows hold several documents. Set training.packing: none, or stream."
    }
  }
  public var errorDescription: String? { description }
}
