/// Looks at each scalar alone: keeps it, drops it, or puts something in its place.
protocol Scalarwise: Normalizer {
  /// What stands for `scalar`; `nil` keeps it.
  func replacement(for scalar: Unicode.Scalar) -> [UInt8]?
}

extension Scalarwise {
  func normalize(_ text: inout AlignedText) {
    let source = text.bytes
    text.rewrite { result in
      var position = 0
      var kept = 0
      while position < source.count {
        let start = position
        guard let new = replacement(for: source.scalar(at: &position)) else { continue }
        if kept < start { result.keep(kept..<start) }
        if !new.isEmpty { result.put(new, for: start..<position) }
        kept = position
      }
      result.keep(kept..<source.count)
    }
  }
}

/// Full lowercase mapping, without regard to neighbours.
struct Lowercase: Scalarwise {
  func replacement(for scalar: Unicode.Scalar) -> [UInt8]? {
    if scalar.isASCII {
      return ("A"..."Z").contains(scalar) ? [UInt8(scalar.value) + 0x20] : nil
    }
    let lower = scalar.properties.lowercaseMapping
    return lower.unicodeScalars.first == scalar ? nil : Array(lower.utf8)
  }
}

/// Drops combining marks: decompose first (NFD), or composed letters keep theirs.
struct StripAccents: Scalarwise {
  func replacement(for scalar: Unicode.Scalar) -> [UInt8]? {
    StripAccents.isMark(scalar) ? [] : nil
  }

  /// Categories Mn, Mc and Me by Unicode 9; two have left them since.
  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x300 { return false }
    if scalar.value == 0x1CF2 || scalar.value == 0x1CF3 { return true }
    guard let age = scalar.properties.age, age.major <= 9 else { return false }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: return true
    default: return false
    }
  }
}

/// The clean-up of neural machine translation: drops control characters and makes blanks of unusual ones.
struct Nmt: Scalarwise {
  func replacement(for scalar: Unicode.Scalar) -> [UInt8]? {
    switch scalar.value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: []
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: [0x20]
    default: nil
    }
  }
}
