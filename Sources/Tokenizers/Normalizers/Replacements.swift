/// For each scalar outside ASCII the bytes that normalization puts in its place.
struct Replacements: Sendable {
  enum Replacement {
    case same
    case bytes(ArraySlice<UInt8>)
    /// The scalar may trade places with its neighbours: the text has to be normalized as a whole.
    case reordered
  }

  /// Where in `bytes` the replacement of each scalar of the basic plane lies: start × 16 + length.
  private var table = [UInt32](repeating: Replacements.same, count: 0x10000)
  private var bytes: [UInt8] = []
  private let steps: NormalizationSteps

  private static let same = UInt32.max
  private static let reordered = UInt32.max - 1

  /// Those of the uncased models, built once: a table takes some 80 ms.
  static let uncased = Replacements(NormalizationSteps(options: BertNormalizer.Options()))

  init(_ steps: NormalizationSteps) {
    self.steps = steps
    for value in UInt32(0x80)..<0x10000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      switch computed(scalar) {
      case .same: break
      case .reordered: table[Int(value)] = Replacements.reordered
      case .bytes(let replacement):
        table[Int(value)] = UInt32(bytes.count * 16 + replacement.count)
        bytes += replacement
      }
    }
  }

  subscript(scalar: Unicode.Scalar) -> Replacement {
    guard scalar.value < 0x10000 else { return computed(scalar) }
    let entry = table[Int(scalar.value)]
    if entry == Replacements.same { return .same }
    if entry == Replacements.reordered { return .reordered }
    let start = Int(entry / 16)
    return .bytes(bytes[start..<(start + Int(entry % 16))])
  }

  private func computed(_ scalar: Unicode.Scalar) -> Replacement {
    let result = steps.apply(to: [scalar])
    if steps.options.stripsAccents, result.contains(where: { NormalizationSteps.combiningClass($0) > 0 }) {
      return .reordered
    }
    if result == [scalar] { return .same }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: result)
    return .bytes(Array(String(view).utf8)[...])
  }
}
