/// Pre-tokenizers one after the other.
struct PreTokenizerSequence: PreTokenizer {
  let steps: [any PreTokenizer]

  var looksAtOrigins: Bool { steps.contains(where: \.looksAtOrigins) }

  func split(_ text: inout PreTokenizedText) {
    for step in steps { step.split(&text) }
  }
}
