/// A token of a piece of text.
struct Token: Sendable, Equatable {
  var id: Int32
  /// Bytes of the text the model saw.
  var range: Range<Int>
}

/// Turns a piece of text into tokens.
protocol Model: Sendable {
  var vocabulary: Vocabulary { get }

  /// Id of the token for what the model cannot spell, if it has one.
  var unknown: Int32? { get }

  /// Whether it pays to remember the tokens of pieces that come again.
  static var remembersPieces: Bool { get }

  /// Appends the tokens of `text[piece]`, a piece that is not empty.
  func append(_ piece: Range<Int>, of text: [UInt8], to tokens: inout [Token], in workspace: inout Workspace)
}
