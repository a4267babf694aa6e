/// How an example becomes the text that a language model reads.
///
/// A template with the places `{text}`, `{pair}` and `{options}`; the options are the label names, joined by commas.
public struct Prompt: Sendable, Hashable, Codable {
  public let template: String

  public init(_ template: String) { self.template = template }

  /// The text of a stream that has no prompt of its own.
  public static let plain = Prompt("{text}\n{pair}\nOptions: {options}\nAnswer:")

  /// All places of a template.
  static let places = ["{text}", "{pair}", "{options}"]

  /// Words in braces that are no places, and so would be read as they stand.
  var unknownPlaces: [String] {
    template.matches(of: /\{\s*[A-Za-z_]+\s*\}/).map { String($0.output) }.filter { !Self.places.contains($0) }
  }

  /// A line whose places are all empty is left out, if nothing but a caption stands beside them: words that end with a
  /// colon, such as `Options: {options}`.
  public func text(of example: Example, labels: [String]) -> String {
    let values = ["{text}": example.text, "{pair}": example.pair ?? "", "{options}": labels.joined(separator: ", ")]
    let lines = template.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !Self.isLeftOut($0, values) }
    // One pass, so that a text that holds "{options}" stays as it is.
    var result = ""
    var rest = lines.joined(separator: "\n")[...]
    while let brace = rest.firstIndex(of: "{") {
      result += rest[..<brace]
      rest = rest[brace...]
      let place = values.keys.first { rest.hasPrefix($0) }
      result += place.flatMap { values[$0] } ?? "{"
      rest = rest.dropFirst(place?.count ?? 1)
    }
    return result + rest
  }

  private static func isLeftOut(_ line: Substring, _ values: [String: String]) -> Bool {
    let places = values.filter { line.contains($0.key) }
    guard !places.isEmpty, places.values.allSatisfy(\.isEmpty) else { return false }
    let words = places.keys.reduce(String(line)) { $0.replacing($1, with: "") }
    let last = words.last { !$0.isWhitespace }
    return last == nil || last == ":"
  }
}
