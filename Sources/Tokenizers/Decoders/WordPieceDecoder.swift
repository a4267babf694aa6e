import Foundation

/// Joins word pieces to text.
struct WordPieceDecoder: Decoder, Equatable {
  var prefix = "##"
  /// Takes out the blanks before punctuation and English contractions.
  var cleansUp = true

  func decode(_ parts: [String]) -> [String] {
    parts.enumerated().map { index, part in
      var text = part
      if index > 0 {
        let continues = part.utf8.starts(with: prefix.utf8)
        text = continues ? String(decoding: part.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : " " + part
      }
      return cleansUp && WordPieceDecoder.mayNeedCleaning(part) ? WordPieceDecoder.cleaned(text) : text
    }
  }

  private static func mayNeedCleaning(_ token: String) -> Bool {
    token.utf8.contains { ".?!,' ".utf8.contains($0) }
  }

  /// The reference cleans piece by piece, and in this order.
  private static let replacements = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ]

  private static func cleaned(_ piece: String) -> String {
    replacements.reduce(piece) { $0.replacingOccurrences(of: $1.0, with: $1.1, options: .literal) }
  }
}
