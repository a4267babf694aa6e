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
      while let cluster = clusters.next() {
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

  /// The normal form of one cluster.
  fileprivate func normalized(_ cluster: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var known = ""
    for scalar in String(decoding: cluster, as: UTF8.self).unicodeScalars {
      if NormalForm.isKnown(scalar) {
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
    case .composed: text.precomposedStringWithCanonicalMapping
    case .decomposed: text.decomposedStringWithCanonicalMapping
    case .compatibilityComposed: text.precomposedStringWithCompatibilityMapping
    case .compatibilityDecomposed: text.decomposedStringWithCompatibilityMapping
    }
  }

  private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII || scalar.properties.age.map { $0.major <= 9 } ?? false
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
