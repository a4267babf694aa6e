/// How well a written answer fits the accepted ones, in percent.
public enum AnswerScore: String, Codable, Sendable, CaseIterable {
  /// 100 where it equals an accepted answer, else 0, after lower-casing, deleting ASCII punctuation and collapsing
  /// white space. Source: wenyudu/MIGU at 3f3b9f0, `src/compute_metrics.py`.
  case exactMatch
  /// F1 of the longest common subsequence of stemmed words, the best over the accepted answers.
  /// Source: Lin, ROUGE, 2004; google-research/rouge 0.1.2 with `use_stemmer`.
  case rougeL
  /// 100 where the last number equals the last of an accepted answer, else 0; commas between digits do not count.
  /// Source: Cobbe et al. 2021 (arXiv 2110.14168), whose answers end in `#### 18`.
  case finalNumber

  /// - Precondition: at least one accepted answer.
  public func callAsFunction(_ answer: String, accepted: [String]) -> Double {
    precondition(!accepted.isEmpty, "AnswerScore: no accepted answer")
    switch self {
    case .exactMatch:
      let normalized = Self.normalized(answer)
      return accepted.contains { Self.normalized($0) == normalized } ? 100 : 0
    case .finalNumber:
      guard let number = Self.lastNumber(answer) else { return 0 }
      return accepted.contains { Self.lastNumber($0) == number } ? 100 : 0
    case .rougeL:
      let words = Self.stems(answer)
      return accepted.map { Self.overlap(words, Self.stems($0)) }.max() ?? 0
    }
  }

  /// The last number in a text: digits, perhaps a sign before and a point within.
  static func lastNumber(_ text: String) -> Double? {
    let characters = Array(text.unicodeScalars.filter { $0 != "," })
    func isDigit(_ place: Int) -> Bool { characters.indices.contains(place) && "0"..."9" ~= characters[place] }
    guard let last = characters.indices.last(where: isDigit) else { return nil }
    var first = last
    while isDigit(first - 1) || (first > 0 && characters[first - 1] == "." && isDigit(first - 2)) { first -= 1 }
    // A hyphen behind a digit parts two numbers.
    if first > 0, characters[first - 1] == "-", !isDigit(first - 2) { first -= 1 }
    return Double(String(String.UnicodeScalarView(characters[first...last])))
  }

  static func normalized(_ text: String) -> String {
    let letters = text.lowercased().unicodeScalars.filter {
      !("!"..."/" ~= $0 || ":"..."@" ~= $0 || "["..."`" ~= $0 || "{"..."~" ~= $0)
    }
    return String(String.UnicodeScalarView(letters)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Words of ASCII letters and digits; those of more than three letters are stemmed.
  static func stems(_ text: String) -> [String] {
    text.lowercased().utf8.split {
      !(UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0)
    }
    .map { word in
      let word = String(decoding: word, as: UTF8.self)
      return word.utf8.count > 3 ? PorterStemmer.stem(word) : word
    }
  }

  /// 100 · 2PR / (P + R), where P and R are the longest common subsequence over the length of each.
  private static func overlap(_ left: [String], _ right: [String]) -> Double {
    guard !left.isEmpty, !right.isEmpty else { return 0 }
    var lengths = [Int](repeating: 0, count: right.count + 1)
    for word in left {
      var diagonal = 0
      for (column, other) in right.enumerated() {
        let above = lengths[column + 1]
        lengths[column + 1] = word == other ? diagonal + 1 : max(above, lengths[column])
        diagonal = above
      }
    }
    return 200 * Double(lengths[right.count]) / Double(left.count + right.count)
  }
}
