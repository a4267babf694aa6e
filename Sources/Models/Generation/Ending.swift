import NN

/// When an answer is finished.
struct Ending {
  let endTokens: [Int32]
  let settings: GenerationSettings
  let decode: (([Int32]) -> String)?

  init(endTokens: [Int32], settings: GenerationSettings, decode: (([Int32]) -> String)?) {
    precondition(
      settings.stopStrings.isEmpty || decode != nil, "generate: stop strings \(settings.stopStrings) without `decode`")
    (self.endTokens, self.settings, self.decode) = (endTokens, settings, decode)
  }

  /// The answer if `tokens`, the newest last, is a finished one.
  func answer(_ tokens: [Int32]) -> GeneratedAnswer? {
    if let last = tokens.last, endTokens.contains(last) { return answer(tokens.dropLast(), .endToken) }
    if !settings.stopStrings.isEmpty, let cut = cut(tokens) {
      return GeneratedAnswer(tokens: tokens, text: cut, end: .stopString)
    }
    return tokens.count >= settings.maxTokens ? answer(tokens[...], .length) : nil
  }

  private func answer(_ tokens: ArraySlice<Int32>, _ end: GeneratedAnswer.End) -> GeneratedAnswer {
    GeneratedAnswer(tokens: Array(tokens), text: decode.map { $0(Array(tokens)) }, end: end)
  }

  /// The text before the first stop string; nil where there is none.
  private func cut(_ tokens: [Int32]) -> String? {
    guard let text = decode?(tokens) else { return nil }
    // By scalars: a stop string counts even where what follows makes one character with its end.
    let scalars = Array(text.unicodeScalars)
    let places = settings.stopStrings.compactMap { stop -> Int? in
      let wanted = Array(stop.unicodeScalars)
      guard !wanted.isEmpty, scalars.count >= wanted.count else { return nil }
      return (0...scalars.count - wanted.count).first { scalars[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
    guard let first = places.min() else { return nil }
    var kept = String.UnicodeScalarView()
    kept.append(contentsOf: scalars[..<first])
    return String(kept)
  }
}
