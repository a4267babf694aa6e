/// What is done with the tokens of a text or a pair: special tokens around them, and spans without blanks.
struct PostProcessor: Sendable, Equatable {
  var template = Template.bare
  /// Set where spans leave out the blanks that tokens begin and end with.
  var trimming: Trimming?

  struct Trimming: Sendable, Equatable {
    /// Whether the first blank of a text was put there and has no place in the text.
    var addsPrefixSpace: Bool

    /// Trims the span of a token of byte characters.
    func trim(_ span: Range<Int>, of token: String, isFirst: Bool) -> Range<Int> {
      var leading = token.unicodeScalars.prefix(while: Trimming.isBlank).count
      let trailing = token.unicodeScalars.reversed().prefix(while: Trimming.isBlank).count
      if isFirst || span.lowerBound == 0, addsPrefixSpace, leading == 1 { leading = 0 }
      let lower = min(span.lowerBound + leading, span.upperBound)
      return lower..<(span.upperBound >= trailing ? max(span.upperBound - trailing, lower) : span.upperBound)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
      scalar == "\u{120}" || scalar.isBlank
    }
  }
}
