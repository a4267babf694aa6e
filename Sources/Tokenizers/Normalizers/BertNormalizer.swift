import Foundation

/// Cleans, spaces, strips and lowercases text as BERT's preprocessing does.
///
/// Every step but one looks at a scalar alone, so that the steps are folded into one replacement per scalar,
/// looked up in a table for the basic plane. The exception is canonical order: see `Replacements.Replacement.reordered`.
struct BertNormalizer: Normalizer {
  struct Options: Sendable, Equatable {
    /// Drops control characters and makes all white space a blank.
    var cleansText = true
    /// Puts blanks around ideographs.
    var spacesChinese = true
    var stripsAccents = true
    var lowercases = true
  }

  private static let dropped: UInt8 = 0xFF

  private let steps: NormalizationSteps
  private let ascii: [UInt8]
  private let replacements: Replacements

  init(_ options: Options) {
    let steps = NormalizationSteps(options: options)
    self.steps = steps
    replacements = options == Options() ? .uncased : Replacements(steps)
    ascii = (UInt8(0)..<0x80).map { byte in
      steps.apply(to: [Unicode.Scalar(byte)]).first.map { UInt8($0.value) } ?? BertNormalizer.dropped
    }
  }

  func normalize(_ text: inout AlignedText) {
    let source = text.bytes
    text.rewrite { result in
      var position = 0
      while position < source.count {
        let byte = source[position]
        if byte < 0x80 {
          let mapped = ascii[Int(byte)]
          if mapped != BertNormalizer.dropped { result.put(mapped, for: position) }
          position += 1
        } else {
          normalizeStretch(of: source, at: &position, &result)
        }
      }
    }
  }

  /// Normalizes what lies up to the next ASCII character.
  ///
  /// No mark trades places across such a character.
  private func normalizeStretch(
    of source: [UInt8], at position: inout Int, _ result: inout AlignedText.Rewriter
  ) {
    let (start, resultStart) = (position, result.bytes.count)
    while position < source.count, source[position] >= 0x80 {
      let scalarStart = position
      switch replacements[source.scalar(at: &position)] {
      case .same: result.keep(scalarStart..<position)
      case .bytes(let bytes): result.put(bytes, for: scalarStart..<position)
      case .reordered:
        while position < source.count, source[position] >= 0x80 { position += 1 }
        result.truncate(to: resultStart)
        result.put(normalizedStepByStep(source[start..<position]), for: start..<position)
      }
    }
  }

  private func normalizedStepByStep(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var result = String.UnicodeScalarView()
    result.append(contentsOf: steps.apply(to: Array(String(decoding: text, as: UTF8.self).unicodeScalars)))
    return Array(String(result).utf8)
  }
}

/// The steps one after the other, in the reference's order.
struct NormalizationSteps: Sendable {
  let options: BertNormalizer.Options

  func apply(to text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var scalars = text
    if options.cleansText { scalars = scalars.compactMap(clean) }
    if options.spacesChinese {
      scalars = scalars.flatMap { ScalarClass.of($0).contains(.chinese) ? [" ", $0, " "] : [$0] }
    }
    if options.stripsAccents {
      scalars = NormalizationSteps.decomposed(scalars).filter { !ScalarClass.of($0).contains(.nonspacingMark) }
    }
    if options.lowercases { scalars = scalars.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) } }
    return scalars
  }

  private func clean(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    if scalar == "\t" || scalar == "\n" || scalar == "\r" { return " " }
    let scalarClass = ScalarClass.of(scalar)
    if scalar.value == 0 || scalar.value == 0xFFFD || scalarClass.contains(.control) { return nil }
    return scalarClass.contains(.whitespace) ? " " : scalar
  }

  /// Canonical decomposition (NFD) by the rules of Unicode 9.
  private static func decomposed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for scalar in scalars.flatMap(decomposition) {
      var index = result.count
      if index > 0 {
        let rank = combiningClass(scalar)
        while rank > 0, index > 0, combiningClass(result[index - 1]) > rank { index -= 1 }
      }
      result.insert(scalar, at: index)
    }
    return result
  }

  private static func decomposition(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    guard mayDecompose(scalar.value), isKnown(scalar) else { return [scalar] }
    return Array(String(Character(scalar)).decomposedStringWithCanonicalMapping.unicodeScalars)
  }

  /// Saves the question for most of the basic plane: ideographs and private use never decompose.
  private static func mayDecompose(_ value: UInt32) -> Bool {
    switch value {
    case 0..<0xC0, 0x3400..<0xA000, 0xE000..<0xF900: false
    default: true
    }
  }

  /// Canonical combining class by Unicode 9; 0 for what does not combine.
  static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
    isKnown(scalar) ? scalar.properties.canonicalCombiningClass.rawValue : 0
  }

  private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII || scalar.properties.age.map { $0.major <= 9 } ?? false
  }
}
