import NN
import Torch

/// Texts that a language model has read, and what is written behind them: all that generation and scoring ask of it.
protocol Reading: AnyObject {
  /// float32 `[rows, vocabulary]`: scores of each answer's first token.
  var first: Tensor { get }
  /// The tokens of each row that count as written before the answer begins.
  var context: [[Int32]] { get }
  /// Feeds one token a row (int64 `[rows]`) → float32 `[rows, vocabulary]`: scores of the token that follows.
  func next(_ tokens: Tensor) -> Tensor
  /// Takes these rows (int64 `[n]`, of the present ones) in place of the present ones.
  func select(rows: Tensor)
  /// Feeds what a tree feeds, once: hidden states `[rows, tree.fed.count, width]`.
  func hidden(_ tree: AnswerTree) -> Tensor
  /// `[..., width]` → float32 `[..., vocabulary]`: scores of the token that follows.
  func scores(_ hidden: Tensor) -> Tensor
}
