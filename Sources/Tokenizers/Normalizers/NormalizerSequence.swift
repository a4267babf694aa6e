/// Normalizers one after the other.
struct NormalizerSequence: Normalizer {
  let steps: [any Normalizer]

  func normalize(_ text: inout AlignedText) {
    for step in steps { step.normalize(&text) }
  }
}
