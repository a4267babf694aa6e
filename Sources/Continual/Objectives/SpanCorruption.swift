public import Streams
public import Torch

/// Span corruption: spans of the text are taken out, each leaving one sentinel, and written behind their sentinels.
///
/// About `density` of the tokens are taken out, in spans of `meanLength` tokens on average; a row begins with a span that
/// stays and ends with one that is taken out. Both sides end with the end token.
/// Source: Raffel et al. 2020, §3.1.4 (arXiv 1910.10683); the lengths of spans as in google-research/text-to-text-transfer
/// -transformer `t5/data/preprocessors.py`, `random_spans_noise_mask`.
public struct SpanCorruption: Objective {
  /// What stands for the first span, the second, …
  public let sentinels: [Int32]
  /// Ends what is read and what is written.
  public let end: Int32
  /// Share of the tokens that is taken out.
  public let density: Double
  /// Mean length of a span, in tokens.
  public let meanLength: Double

  public init(sentinels: [Int32], end: Int32, density: Double = 0.15, meanLength: Double = 3) {
    precondition(!sentinels.isEmpty, "SpanCorruption: there are no sentinels")
    (self.sentinels, self.end, self.density, self.meanLength) = (sentinels, end, density, meanLength)
  }

  /// The end token comes behind a row, not behind a document.
  public func document(_ ids: [Int32]) -> [Int32] { ids.last == end ? ids.dropLast() : ids }

  public func rowLength(reading maxTokens: Int) -> Int {
    // What is read is the row without its noise, with the sentinels and the end.
    var length = maxTokens
    while length + 1 - counts(length + 1).noise + counts(length + 1).spans + 1 <= maxTokens { length += 1 }
    return length
  }

  public func pose(_ row: TokenizedExample, using generator: inout Generator) -> TokenizedExample {
    let (noise, spans) = counts(row.tokens.count)
    let taken = Self.lengths(noise, parts: spans, &generator)
    let kept = Self.lengths(row.tokens.count - noise, parts: spans, &generator)
    var posed = row
    (posed.tokens, posed.answer) = ([], [])
    var place = 0
    for (index, (stay, leave)) in zip(kept, taken).enumerated() {
      posed.tokens += row.tokens[place..<place + stay] + [sentinels[index]]
      posed.answer += [sentinels[index]] + row.tokens[place + stay..<place + stay + leave]
      place += stay + leave
    }
    posed.tokens.append(end)
    posed.answer.append(end)
    return posed
  }

  /// How many tokens of a row are taken out, in how many spans: at least one, and at least one token stays before each.
  func counts(_ length: Int) -> (noise: Int, spans: Int) {
    precondition(length > 1, "SpanCorruption: a row of \(length) tokens has no span to take out")
    let noise = min(max(Int((Double(length) * density).rounded()), 1), length - 1)
    let spans = max(1, Int((Double(noise) / meanLength).rounded()))
    return (noise, min(spans, noise, length - noise, sentinels.count))
  }

  /// `total` as a sum of `parts` positive numbers, every such sum being equally likely.
  private static func lengths(_ total: Int, parts: Int, _ generator: inout Generator) -> [Int] {
    let cuts = Array(1..<max(total, 1)).permuted(using: &generator).prefix(parts - 1).sorted() + [total]
    return zip([0] + cuts, cuts).map { $1 - $0 }
  }
}
