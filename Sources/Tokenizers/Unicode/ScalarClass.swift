/// What the reference's normalizer and pre-tokenizer ask about a scalar.
///
/// huggingface/tokenizers 0.23 carries tables of Unicode 8 for categories and of Unicode 9 for normalization;
/// Swift's are newer. A scalar assigned later therefore has no category here, and a few changed theirs since.
struct ScalarClass: OptionSet, Sendable {
  let rawValue: UInt8

  static let whitespace = ScalarClass(rawValue: 1)
  static let punctuation = ScalarClass(rawValue: 2)
  /// Categories Cc, Cf and Co.
  static let control = ScalarClass(rawValue: 4)
  static let nonspacingMark = ScalarClass(rawValue: 8)
  static let chinese = ScalarClass(rawValue: 16)

  /// The class of a scalar, by table for the basic plane.
  static func of(_ scalar: Unicode.Scalar) -> ScalarClass {
    scalar.value < 0x10000 ? basicPlane[Int(scalar.value)] : computed(scalar)
  }

  private static let basicPlane = (UInt32(0)..<0x10000).map { Unicode.Scalar($0).map(computed) ?? [] }

  private static func computed(_ scalar: Unicode.Scalar) -> ScalarClass {
    var result = category(scalar)
    if scalar.isBlank { result.insert(.whitespace) }
    if isChinese(scalar.value) { result.insert(.chinese) }
    if scalar.isASCII, isASCIIPunctuation(UInt8(scalar.value)) { result.insert(.punctuation) }
    return result
  }

  private static func category(_ scalar: Unicode.Scalar) -> ScalarClass {
    switch scalar.value {
    case 0x166D, 0x111C9: return .punctuation
    case 0x1734, 0x1171E: return .nonspacingMark
    case 0x1885, 0x1886, 0xA9BD: return []
    default: break
    }
    guard let age = scalar.properties.age, age.major <= 8 else { return [] }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return .punctuation
    case .control, .format, .privateUse: return .control
    case .nonspacingMark: return .nonspacingMark
    default: return []
    }
  }

  /// `$`, `+`, `<`, `=`, `>`, `^`, `` ` ``, `|` and `~` are symbols to Unicode and punctuation to BERT.
  static func isASCIIPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }

  /// Ideographs.
  ///
  /// The sixth range starts where the reference has it, at 2B920 and not at Unicode's 2B820.
  private static func isChinese(_ value: UInt32) -> Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}

extension [UInt8] {
  /// The scalar that starts at `position`, which moves behind it.
  /// - Precondition: the bytes are well-formed UTF-8, as those of a `String` are.
  func scalar(at position: inout Int) -> Unicode.Scalar {
    let first = UInt32(self[position])
    let width = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = width == 1 ? first : first & (0x7F >> UInt32(width))
    for offset in 1..<Swift.max(width, 1) { value = value << 6 | UInt32(self[position + offset] & 0x3F) }
    guard let scalar = Unicode.Scalar(value) else {
      preconditionFailure("scalar(at:): the bytes at \(position) are not UTF-8")
    }
    position += width
    return scalar
  }

  /// The scalar that ends before `position`.
  func scalar(before position: Int) -> Unicode.Scalar {
    var start = position - 1
    while self[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(at: &start)
  }
}
