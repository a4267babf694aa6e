import Foundation

/// A normal form of Unicode, by the rules of Unicode 9: what was assigned later is left alone.
enum NormalForm: String, Normalizer {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatibilityComposed = "NFKC"
  case compatibilityDecomposed = "NFKD"

  func normalize(_ text: inout AlignedText) {
    guard text.bytes.contains(where: { $0 >= 0x80 }) else { return }
    let stable = StableScalars.of(self)
    let source = text.bytes
    text.rewrite { result in
      var clusters = GraphemeClusters(source)
      var kept = 0
      while var cluster = clusters.next() {
        while startsWithJamo(source, cluster.upperBound), let next = clusters.next() {
          cluster = cluster.lowerBound..<next.upperBound
        }
        if stable.contains(source, cluster) { continue }
        let new = normalized(source[cluster])
        if new.elementsEqual(source[cluster]) { continue }
        result.keep(kept..<cluster.lowerBound)
        result.put(new, for: cluster)
        kept = cluster.upperBound
      }
      result.keep(kept..<source.count)
    }
  }

  /// Whether what comes at `position` may join what lies before it, though it is a cluster of its own: the
  /// compatibility forms of jamo become jamo that join to syllables.
  private func startsWithJamo(_ text: [UInt8], _ position: Int) -> Bool {
    // All of them take three bytes, the first of them one of these.
    guard self == .compatibilityComposed || self == .compatibilityDecomposed, position < text.count,
      text[position] == 0xE1 || text[position] == 0xE3 || text[position] == 0xEF
    else { return false }
    var end = position
    switch text.scalar(at: &end).value {
    case 0x1100...0x11FF, 0x3131...0x318E, 0x3260...0x327F, 0xFFA0...0xFFDC: return true
    default: return false
    }
  }

  /// The normal form of one cluster.
  fileprivate func normalized(_ cluster: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var known = ""
    for scalar in String(decoding: cluster, as: UTF8.self).unicodeScalars {
      if NormalForm.mayChange(scalar) {
        known.unicodeScalars.append(scalar)
      } else {
        result += Array(applied(to: known).utf8) + Array(String(scalar).utf8)
        known = ""
      }
    }
    return result + Array(applied(to: known).utf8)
  }

  private func applied(to text: String) -> String {
    switch self {
    // Decomposed first: Foundation does not join a composed Hangul syllable with a final consonant.
    case .composed: text.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping
    case .decomposed: text.decomposedStringWithCanonicalMapping
    case .compatibilityComposed:
      NormalForm.compatibilityDecomposed.applied(to: text).precomposedStringWithCanonicalMapping
    // Decomposed again: Foundation leaves marks that come of compatibility characters out of order.
    case .compatibilityDecomposed:
      text.decomposedStringWithCompatibilityMapping.decomposedStringWithCanonicalMapping
    }
  }

  /// Unicode 9 has a rule for the scalar.
  ///
  /// Archaic jamo have none; Foundation takes them for modern ones.
  private static func mayChange(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1113...0x1160, 0x1176...0x11A7, 0x11C3...0x11FF: false
    default: scalar.isASCII || scalar.properties.age.map { $0.major <= 9 } ?? false
    }
  }
}

/// For each scalar of the basic plane whether it is its own normal form.
private struct StableScalars {
  private let isStable: [Bool]

  static func of(_ form: NormalForm) -> StableScalars {
    switch form {
    case .composed: composed
    case .decomposed: decomposed
    case .compatibilityComposed: compatibilityComposed
    case .compatibilityDecomposed: compatibilityDecomposed
    }
  }

  private static let composed = StableScalars(.composed)
  private static let decomposed = StableScalars(.decomposed)
  private static let compatibilityComposed = StableScalars(.compatibilityComposed)
  private static let compatibilityDecomposed = StableScalars(.compatibilityDecomposed)

  private init(_ form: NormalForm) {
    isStable = (UInt32(0)..<0x10000).map { value in
      guard let scalar = Unicode.Scalar(value) else { return false }
      let bytes = Array(String(scalar).utf8)
      return scalar.isASCII || form.normalized(bytes[...]) == bytes
    }
  }

  /// Whether a cluster is one scalar that is its own normal form.
  func contains(_ text: [UInt8], _ cluster: Range<Int>) -> Bool {
    var end = cluster.lowerBound
    let scalar = text.scalar(at: &end)
    return end == cluster.upperBound && scalar.value < 0x10000 && isStable[Int(scalar.value)]
  }
}
