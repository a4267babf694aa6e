import Tokenizers

/// Shows an answer while it is written, so that the pieces joined are the answer.
struct AnswerStream {
  private var decoder: StreamingDecoder
  private let stops: [String]
  private let said: (String) -> String?
  private let show: (String) -> Void
  private var text = "", shown = ""

  /// - Parameters:
  ///   - tokenizer: knows the text of tokens.
  ///   - stops: texts that end the answer and do not belong to it.
  ///   - said: what counts of the text so far; nil for nothing yet.
  ///   - show: gets the pieces.
  init(
    _ tokenizer: any Tokenizer, stops: [String], said: @escaping (String) -> String? = { $0 },
    show: @escaping (String) -> Void
  ) {
    decoder = StreamingDecoder(tokenizer)
    (self.stops, self.said, self.show) = (stops.filter { !$0.isEmpty }, said, show)
  }

  mutating func append(_ token: Int32) {
    let piece = decoder.append(token)
    guard !piece.isEmpty else { return }
    text += piece
    if let said = said(text) { showMore(of: safe(said)) }
  }

  /// Shows the rest of the whole answer.
  mutating func finish(_ answer: String) { showMore(of: answer) }

  /// What no later token can take back: neither blanks at the end nor what may be the beginning of a stop string.
  private func safe(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    let end = scalars.indices.first { start in
      let rest = scalars[start...]
      return rest.allSatisfy(\.properties.isWhitespace)
        || stops.contains { rest.starts(with: $0.unicodeScalars) || $0.unicodeScalars.starts(with: rest) }
    }
    return String(String.UnicodeScalarView(scalars[..<(end ?? scalars.count)]))
  }

  private mutating func showMore(of text: String) {
    guard text.unicodeScalars.starts(with: shown.unicodeScalars) else { return }
    let more = String(text.unicodeScalars.dropFirst(shown.unicodeScalars.count))
    guard !more.isEmpty else { return }
    show(more)
    shown = text
  }
}
